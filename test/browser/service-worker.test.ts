/** The service worker in a real browser: what is pushed is shown, opened when clicked, and reported. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type Browser } from "./chromium.ts";
import { reachServiceWorker, type ServiceWorkerHandle } from "./service-worker.ts";
import { openSite, type Site } from "./site.ts";

/** Only a hang takes as long. */
const MAX_WAIT_MS = 15_000;

let site: Site;
let browser: Browser;
let page: Page;
let worker: ServiceWorkerHandle;

beforeAll(async () => {
  site = await openSite();
  browser = await openBrowser({ origin: site.url });
  page = await browser.open(`${site.url}/`);
  await page.evaluate(`navigator.serviceWorker.register("/sw.js", { scope: "/" })
    .then(() => navigator.serviceWorker.ready).then(() => undefined)`);
  worker = await reachServiceWorker(browser.context, page);
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

const payload = {
  notification_id: "0199-a",
  replay_id: "12",
  title: "Plan deadline near",
  body: "Something about a plan is due in 3 days.",
  url: "/iep/iep-1",
  icon: "/icon.png",
  tag: "a",
  dir: "ltr",
  locale: "sv",
  actions: [
    { action: "open_plan", title: "Open the plan", url: "/iep/iep-1?from=action" },
    { action: "later", title: "Later" },
    { action: "third", title: "One too many" },
  ],
  receipt: "signed-token",
};

/** Delivers, and waits until the worker has reported that it is on screen. */
async function pushAndWait(changes: Record<string, unknown>): Promise<string> {
  await worker.push(JSON.stringify({ ...payload, ...changes }));
  const receipt = await site.nextReceipt();
  expect(receipt.event).toBe("shown");
  return receipt.receipt;
}

async function leaveSite(): Promise<void> {
  await page.goto("about:blank");
  await expect.poll(() => worker.openTabs(), { timeout: MAX_WAIT_MS }).toBe(0);
}

async function shownWithTag(tag: string) {
  const all = await worker.shown();
  return all.filter((notification) => notification.tag === tag);
}

describe("a push", () => {
  it("is shown in its language and direction, with its actions, and reported", async () => {
    const receipt = await pushAndWait({ tag: "shown", dir: "rtl", locale: "ar" });
    expect(receipt).toBe("signed-token");
    expect(await shownWithTag("shown")).toEqual([
      {
        title: "Plan deadline near",
        body: "Something about a plan is due in 3 days.",
        dir: "rtl",
        lang: "ar",
        tag: "shown",
        icon: `${site.url}/icon.png`,
        renotify: false,
        silent: false,
        actions: [
          expect.objectContaining({ action: "open_plan", title: "Open the plan" }),
          expect.objectContaining({ action: "later", title: "Later" }),
        ],
      },
    ]);
  });

  it("replaces an older one with the same tag", async () => {
    await pushAndWait({ tag: "same", title: "Old" });
    await pushAndWait({ tag: "same", title: "New" });
    const shown = await shownWithTag("same");
    expect(shown.map(({ title }) => title)).toEqual(["New"]);
  });

  it.each(["", "not json", "[1,2]", '{"title":5}'])(
    "without a readable payload (%j) still shows something",
    async (text) => {
      await worker.push(text);
      // Receipts come in the order of pushes, so after this one the former is on screen.
      await pushAndWait({ tag: "after" });
      const shown = await worker.shown();
      expect(shown.map(({ title }) => title)).toContain("New notification");
    },
  );
});

describe("a click", () => {
  it("opens the page that the notification is about when no tab of ours is open", async () => {
    await leaveSite();
    await pushAndWait({ tag: "closed", receipt: "r-closed" });
    expect(await worker.click("closed")).toEqual([`${site.url}/iep/iep-1`]);
    expect(await site.nextReceipt()).toEqual({ receipt: "r-closed", event: "clicked" });
    expect(await shownWithTag("closed")).toEqual([]);
    await page.goto(`${site.url}/`);
  });

  it("on an action opens that action's page", async () => {
    await leaveSite();
    await pushAndWait({ tag: "action" });
    expect(await worker.click("action", "open_plan")).toEqual([
      `${site.url}/iep/iep-1?from=action`,
    ]);
    await site.nextReceipt();
    await page.goto(`${site.url}/`);
  });

  it("tells an open start page instead of opening another", async () => {
    await page.evaluate(`void (globalThis.told = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("message", ({ data }) =>
        data.type === "push_clicked" && resolve(data))))`);
    await pushAndWait({ tag: "open" });
    expect(await worker.click("open")).toEqual([]);
    expect(await page.evaluate("globalThis.told")).toEqual({
      type: "push_clicked",
      notification_id: "0199-a",
      url: `${site.url}/iep/iep-1`,
      action: "",
    });
    await site.nextReceipt();
  });

  it.each([
    "https://evil.example/",
    "//evil.example/x",
    "javascript:alert(1)",
    "/\\evil.example",
    "http://[broken",
  ])("never leaves our own site (%s)", async (url) => {
    await leaveSite();
    await pushAndWait({ tag: "foreign", url });
    expect(await worker.click("foreign")).toEqual([`${site.url}/`]);
    await site.nextReceipt();
    await page.goto(`${site.url}/`);
  });
});

describe("the page that a link leads to", () => {
  it("says that it stands in for the application's own", async () => {
    const landing = await browser.open(`${site.url}/iep/iep-1`);
    await landing.getByText("A notification led to /iep/iep-1").waitFor();
    await landing.close();
    expect(browser.errors).toEqual([]);
  });
});
