/** The list of a person's browsers on the page, and what the page tells the server unasked. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { horizontalOverflow, lowContrastTexts, namelessControls } from "./accessibility.ts";
import { openBrowser, type Browser } from "./chromium.ts";
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

it("tells the server when this browser's subscription has vanished", async () => {
  const token = await tokenFor(product.url, PERSON);
  const lost = pushService.subscribe();
  const stored = await post(`${product.url}/push/subscribe`, lost, token);
  const told = {
    userId: PERSON,
    endpoint: lost.endpoint,
    p256dh: lost.keys.p256dh,
    subscriptionId: stored["subscription_id"],
    at: Date.now(),
  };
  await page.evaluate(
    `localStorage.setItem("schoolbell.push", ${JSON.stringify(JSON.stringify(told))})`,
  );
  const dropped = page.waitForResponse((answer) => answer.request().method() === "DELETE");
  await page.reload();
  expect((await dropped).status()).toBe(204);
  await expect.poll(() => page.evaluate(`localStorage.getItem("schoolbell.push")`)).toBeNull();
  expect(await devices().count()).toBe(0);
});
