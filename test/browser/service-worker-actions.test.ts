/** What the buttons of a notification do, and what the worker does while it cannot reach the service. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openBrowser, type Browser } from "./chromium.ts";
import { reachServiceWorker, type ServiceWorkerHandle } from "./service-worker.ts";
import { openSite, type Site } from "./site.ts";

/** Only a hang takes as long. */
const MAX_WAIT_MS = 15_000;

let site: Site;
let browser: Browser;
let page: Page;
let worker: ServiceWorkerHandle;
let count = 0;
let tag = "";

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
beforeEach(() => {
  tag = `tag-${(count += 1)}`;
});

const payload = () => ({
  notification_id: `id-${tag}`,
  title: "Consent needed",
  body: "A plan waits for your answer.",
  url: "/iep/iep-1",
  tag,
  dir: "ltr",
  locale: "en",
  priority: "high",
  actions: [
    { action: "remind-later", title: "Remind me in an hour" },
    { action: "mark-read", title: "Mark as read" },
  ],
  receipt: `receipt-${tag}`,
});

async function push(changes: Record<string, unknown> = {}): Promise<void> {
  await worker.push(JSON.stringify({ ...payload(), ...changes }));
}

/** Delivers, and waits until the worker has reported that it is on screen. */
async function pushAndWait(changes: Record<string, unknown> = {}): Promise<void> {
  await push(changes);
  expect(await site.nextReceipt()).toMatchObject({ event: "shown" });
}

async function onScreen() {
  return (await worker.shown()).filter((notification) => notification.tag === tag);
}

/** The next message that the worker sends to this page. */
async function listen(type: string): Promise<() => Promise<unknown>> {
  await page.evaluate(`void (globalThis.told = new Promise((resolve) =>
    navigator.serviceWorker.addEventListener("message", ({ data }) =>
      data.type === ${JSON.stringify(type)} && resolve(data))))`);
  return () => page.evaluate("globalThis.told");
}

const tellWorker = (message: object): Promise<unknown> =>
  page.evaluate(`navigator.serviceWorker.ready.then(({ active }) =>
    active.postMessage(${JSON.stringify(message)}))`);

describe("a newer notification about the same", () => {
  it.each(["critical", "immediate"])("rings again where it is %s", async (priority) => {
    await pushAndWait({ notification_id: "older", priority });
    expect(await onScreen()).toMatchObject([{ renotify: false }]);
    await pushAndWait({ notification_id: "newer", priority });
    expect(await onScreen()).toMatchObject([{ renotify: true }]);
  });

  it.each(["high", "standard", "low", "unheard-of"])(
    "is silent where it is %s",
    async (priority) => {
      await pushAndWait({ notification_id: "older", priority });
      await pushAndWait({ notification_id: "newer", priority });
      expect(await onScreen()).toMatchObject([{ renotify: false }]);
    },
  );

  it("is silent where it is the same one, sent twice by mistake", async () => {
    await pushAndWait({ priority: "critical" });
    await pushAndWait({ priority: "critical" });
    expect(await onScreen()).toMatchObject([{ renotify: false }]);
  });
});

describe("mark as read", () => {
  it("is said to the service and to open pages, and opens nothing", async () => {
    await pushAndWait();
    const told = await listen("push_read");
    expect(await worker.click(tag, "mark-read")).toEqual([]);
    expect(await site.nextReceipt()).toEqual({ receipt: `receipt-${tag}`, event: "read" });
    expect(await told()).toEqual({ type: "push_read", notification_ids: [`id-${tag}`] });
    expect(await onScreen()).toEqual([]);
  });

  it("is known to pages that are opened later", async () => {
    await pushAndWait();
    await page.goto("about:blank");
    await expect.poll(() => worker.openTabs(), { timeout: MAX_WAIT_MS }).toBe(0);
    await worker.click(tag, "mark-read");
    await site.nextReceipt();
    await page.goto(`${site.url}/`);
    const told = await listen("push_read");
    await tellWorker({ type: "which_were_read" });
    expect(Object(await told()).notification_ids).toContain(`id-${tag}`);
  });
});

describe("remind me in an hour", () => {
  it("is asked of the service, and takes the notification away", async () => {
    await pushAndWait();
    expect(await worker.click(tag, "remind-later")).toEqual([]);
    expect(await site.nextReceipt()).toEqual({
      receipt: `receipt-${tag}`,
      event: "snoozed",
      minutes: 60,
    });
    expect(await onScreen()).toEqual([]);
  });

  it("puts the notification back in silence where the service refuses", async () => {
    await pushAndWait();
    site.refuseReceipts("not_snoozable");
    await worker.click(tag, "remind-later");
    site.refuseReceipts(undefined);
    expect(await onScreen()).toMatchObject([
      {
        title: "Consent needed",
        body: "A plan waits for your answer.",
        silent: true,
        actions: [{ action: "mark-read", title: "Mark as read" }],
      },
    ]);
    // It is still the same one, with its receipt.
    await worker.click(tag, "mark-read");
    expect(await site.nextReceipt()).toEqual({ receipt: `receipt-${tag}`, event: "read" });
  });
});

describe("while the service cannot be reached", () => {
  it("receipts wait, and are sent with the next push", async () => {
    site.refuseReceipts("unavailable");
    const before = site.refused();
    await push();
    await expect.poll(() => site.refused(), { timeout: MAX_WAIT_MS }).toBeGreaterThan(before);
    expect(await onScreen()).toHaveLength(1);
    await worker.click(tag, "mark-read");
    site.refuseReceipts(undefined);
    await push({ receipt: "next", tag: `${tag}-next` });
    expect([await site.nextReceipt(), await site.nextReceipt(), await site.nextReceipt()]).toEqual([
      { receipt: "next", event: "shown" },
      { receipt: `receipt-${tag}`, event: "shown" },
      { receipt: `receipt-${tag}`, event: "read" },
    ]);
  });

  it("what was put off comes back if that turns out to be too late", async () => {
    await pushAndWait();
    site.refuseReceipts("unavailable");
    await worker.click(tag, "remind-later");
    expect(await onScreen()).toEqual([]);
    site.refuseReceipts("not_snoozable");
    await worker.sync("receipts");
    await expect
      .poll(onScreen, { timeout: MAX_WAIT_MS })
      .toMatchObject([{ title: "Consent needed", silent: true }]);
    site.refuseReceipts(undefined);
  });

  it("receipts wait, and are sent when the browser says that it is online", async () => {
    await pushAndWait();
    site.refuseReceipts("rate_limited");
    await worker.click(tag, "mark-read");
    site.refuseReceipts(undefined);
    await worker.sync("receipts");
    expect(await site.nextReceipt()).toEqual({ receipt: `receipt-${tag}`, event: "read" });
  });
});

it("what was read on a page is taken off the screen, and nothing else", async () => {
  await pushAndWait();
  await pushAndWait({ notification_id: "other", tag: `${tag}-other` });
  await tellWorker({ type: "notification_read", notification_ids: [`id-${tag}`, "unknown"] });
  await expect.poll(onScreen, { timeout: MAX_WAIT_MS }).toEqual([]);
  const left = (await worker.shown()).map((notification) => notification.tag);
  expect(left).toContain(`${tag}-other`);
});

it.each([null, 5, "text", { type: "notification_read" }, { type: "unknown" }])(
  "messages that are not ours change nothing (%j)",
  async (message) => {
    await pushAndWait();
    await page.evaluate(`navigator.serviceWorker.ready.then(({ active }) =>
      active.postMessage(${JSON.stringify(message)}))`);
    await tellWorker({ type: "notification_read", notification_ids: ["somebody else's"] });
    await pushAndWait({ notification_id: "after", tag: `${tag}-after` });
    expect(await onScreen()).toHaveLength(1);
  },
);

it("an icon that is no address does not keep a notification from the screen", async () => {
  await pushAndWait({ icon: "http://[broken" });
  expect((await worker.shown()).map(({ title }) => title)).toContain("Consent needed");
});
