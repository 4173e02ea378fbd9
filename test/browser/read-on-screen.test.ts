/** One person reads a notification once: on the page or on the screen, the other knows it. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { reachServiceWorker, type ServiceWorkerHandle } from "./service-worker.ts";
import { post, signInAs, tokenFor } from "./visitor.ts";

/** Only a hang takes as long. */
const MAX_WAIT_MS = 15_000;
const PERSON = "reader";

let pushService: PushService;
let product: Awaited<ReturnType<typeof startProduct>>;
let browser: Browser;
let page: Page;
let worker: ServiceWorkerHandle;

beforeAll(async () => {
  pushService = await startPushService();
  product = await startProduct({ PUSH_ALLOWED_HOSTS: pushService.origin });
  browser = await openBrowser({ origin: product.url });
  page = await browser.open(product.url);
  await page.evaluate(`navigator.serviceWorker.register("/sw.js", { scope: "/" })
    .then(() => navigator.serviceWorker.ready).then(() => undefined)`);
  worker = await reachServiceWorker(browser.context, page);
  await signInAs(page, PERSON);
  const token = await tokenFor(product.url, PERSON);
  const subscription = pushService.subscribe(product.vapidPublicKey);
  await post(`${product.url}/push/subscribe`, subscription, token);
});
afterAll(async () => {
  await browser.close();
  await product.stop();
  await pushService.close();
});

/** Sends to the page and to the screen; the tag of what is on the screen then. */
async function sendToBoth(title: string): Promise<{ id: string; tag: string }> {
  const sender = await tokenFor(product.url, "service-of-tests");
  const data = { title, body: "For your eyes" };
  const request = { user_id: PERSON, template_id: "announcement", strategy: "all", data };
  const answer = await post(`${product.url}/notify`, request, sender);
  const { payload } = await pushService.next();
  await worker.push(payload);
  const { tag }: { tag: string } = JSON.parse(payload);
  const tags = async () => (await worker.shown()).map((notification) => notification.tag);
  await expect.poll(tags, { timeout: MAX_WAIT_MS }).toContain(tag);
  return { id: String(answer["notification_id"]), tag };
}

const row = (title: string) => page.getByRole("listitem").filter({ hasText: title });
const isNew = (title: string) => row(title).getByRole("button", { name: "Mark read" });

describe("a notification on the page and on the screen", () => {
  it("leaves the screen when it is read on the page", async () => {
    const { tag } = await sendToBoth("Read here");
    await isNew("Read here").click();
    const tags = async () => (await worker.shown()).map((notification) => notification.tag);
    await expect.poll(tags, { timeout: MAX_WAIT_MS }).not.toContain(tag);
  });

  it("is no longer new on the page when it is marked as read on the screen", async () => {
    const { id, tag } = await sendToBoth("Read there");
    await isNew("Read there").waitFor();
    await worker.click(tag, "mark-read");
    await isNew("Read there").waitFor({ state: "detached" });
    expect(await row("Read there").isVisible()).toBe(true);
    const token = await tokenFor(product.url, PERSON);
    const read = async () => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${product.url}/notifications/${id}`, { headers });
      return Object(await answer.json()).channel_details;
    };
    const confirmed = { confirmed_at: expect.any(String) };
    await expect
      .poll(read, { timeout: MAX_WAIT_MS })
      .toMatchObject({ push: confirmed, websocket: confirmed });
  });

  it("is not new on a page that is opened after it was marked as read", async () => {
    const { tag } = await sendToBoth("Read before");
    await page.goto("about:blank");
    await expect.poll(() => worker.openTabs(), { timeout: MAX_WAIT_MS }).toBe(0);
    expect(await worker.click(tag, "mark-read")).toEqual([]);
    await page.goto(product.url);
    await row("Read before").waitFor();
    await isNew("Read before").waitFor({ state: "detached" });
    expect(browser.errors).toEqual([]);
  });
});
