/** The list of a person's browsers on the page, and what the page tells the server unasked. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { horizontalOverflow, lowContrastTexts, namelessControls } from "./accessibility.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { reachServiceWorker } from "./service-worker.ts";
import { keep } from "./subscription-change.ts";
import { post, signInAs, tokenFor } from "./visitor.ts";

const PERSON = "owner-of-devices";

let pushService: PushService;
let product: Product;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  pushService = await startPushService();
  product = await startProduct({ PUSH_ALLOWED_HOSTS: pushService.origin });
  browser = await openBrowser({ origin: product.url });
  const token = await tokenFor(product.url, PERSON);
  for (const device_label of ["Phone", "School laptop"]) {
    await post(
      `${product.url}/push/subscribe`,
      { ...pushService.subscribe(), device_label },
      token,
    );
  }
  page = await browser.open(product.url);
  await signInAs(page, PERSON);
});
afterAll(async () => {
  await browser.close();
  await product.stop();
  await pushService.close();
});

const devices = () => page.getByRole("list", { name: "Your devices" }).getByRole("listitem");

it("lists them by name and last visit, for everybody to read", async () => {
  await devices().first().waitFor();
  expect(await devices().count()).toBe(2);
  expect(await devices().filter({ hasText: "Phone" }).innerText()).toContain("Last seen just now");
  expect(await lowContrastTexts(page)).toEqual([]);
  expect(await namelessControls(page)).toEqual([]);
  expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
});

it("removes one at a press, says so, and leaves the focus where it was", async () => {
  await page.getByRole("button", { name: "Remove Phone" }).click();
  await page.getByText("Phone was removed.").waitFor();
  expect(await devices().allInnerTexts()).toEqual([expect.stringContaining("School laptop")]);
  await page.locator("#devices-title:focus").waitFor();
  await page.getByRole("button", { name: "Remove School laptop" }).click();
  await page.getByText("School laptop was removed.").waitFor();
  expect(await devices().count()).toBe(0);
  await page.locator("#push-title:focus").waitFor();
});

const toldBy = (
  userId: string,
  endpoint: string,
  p256dh = "key",
  subscriptionId: unknown = "id",
) => ({
  userId,
  endpoint,
  p256dh,
  subscriptionId,
  at: Date.now(),
});

/** What the page has told the server of this browser. */
async function remember(told: object): Promise<void> {
  await page.evaluate(
    `localStorage.setItem("schoolbell.push", ${JSON.stringify(JSON.stringify(told))})`,
  );
}

const remembered = () => page.evaluate(`localStorage.getItem("schoolbell.push")`);

/** The text is run by the browser. */
const kept = () =>
  page.evaluate(`new Promise((resolve) => {
    const opening = indexedDB.open("schoolbell-renewal", 1);
    opening.onsuccess = () => {
      const asked = opening.result.transaction("renewal").objectStore("renewal").get("current");
      asked.onsuccess = () => { opening.result.close(); resolve(asked.result ?? null); };
    };
  })`);

it("tells the server when this browser's subscription has vanished", async () => {
  const token = await tokenFor(product.url, PERSON);
  const lost = pushService.subscribe();
  const stored = await post(`${product.url}/push/subscribe`, lost, token);
  await remember(toldBy(PERSON, lost.endpoint, lost.keys.p256dh, stored["subscription_id"]));
  const dropped = page.waitForResponse((answer) => answer.request().method() === "DELETE");
  await page.reload();
  expect((await dropped).status()).toBe(204);
  await expect.poll(remembered).toBeNull();
  expect(await devices().count()).toBe(0);
});

it("leaves nothing for the next person at sign-out, though the browser has no subscription", async () => {
  const token = await tokenFor(product.url, PERSON);
  const lost = pushService.subscribe();
  await post(`${product.url}/push/subscribe`, lost, token);
  await remember(toldBy(PERSON, lost.endpoint));
  await page.evaluate(keep("the leave to renew it"));
  await page.evaluate(`navigator.serviceWorker.register("/sw.js")`);
  await page.evaluate(`navigator.serviceWorker.ready.then(() => undefined)`);
  const worker = await reachServiceWorker(browser.context, page);
  const message = { notification_id: "n-1", title: "Still here", body: "Text" };
  await worker.push(JSON.stringify(message));
  await expect
    .poll(async () => (await worker.shown()).map(({ title }) => title))
    .toEqual([message.title]);

  const dropped = page.waitForResponse((answer) => answer.request().method() === "DELETE");
  await page.locator("#sign-out").click();
  expect((await dropped).status()).toBe(204);
  await page.waitForSelector("#workspace[hidden]", { state: "attached" });
  expect(await remembered()).toBeNull();
  expect(await kept()).toBeNull();
  expect(await worker.shown()).toEqual([]);
});

it("leaves a browser to whoever signed in there since, in another tab", async () => {
  const listed = page.waitForResponse((answer) => answer.url().endsWith("/push/subscriptions"));
  await signInAs(page, PERSON);
  await listed;
  const theirs = JSON.stringify(toldBy("somebody-else", "https://push.example.org/theirs"));
  await page.evaluate(`localStorage.setItem("schoolbell.push", ${JSON.stringify(theirs)})`);
  await page.evaluate(keep("theirs"));
  await page.locator("#sign-out").click();
  await page.waitForSelector("#workspace[hidden]", { state: "attached" });
  expect(await remembered()).toBe(theirs);
  expect(await kept()).toBe("theirs");
});
