/** A browser that replaces its subscription by itself goes on ringing, with no page and no token. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { change, keep } from "./subscription-change.ts";
import { post, sendTo, tokenFor } from "./visitor.ts";

const PERSON = "renewing";

let pushService: PushService;
let product: Product;
let browser: Browser;

beforeAll(async () => {
  pushService = await startPushService();
  product = await startProduct({ PUSH_ALLOWED_HOSTS: pushService.origin });
  browser = await openBrowser({ origin: product.url });
});
afterAll(async () => {
  await browser.close();
  await product.stop();
  await pushService.close();
});

it("hands in the new one, and keeps what it needs for the next", async () => {
  const page = await browser.open(product.url);
  await page.evaluate(`navigator.serviceWorker.register("/sw.js")`);
  await page.evaluate(`navigator.serviceWorker.ready.then(() => undefined)`);
  const [worker = await browser.context.waitForEvent("serviceworker")] =
    browser.context.serviceWorkers();
  const [first, second, third] = [1, 2, 3].map(() => pushService.subscribe());
  const token = await tokenFor(product.url, PERSON);
  const stored = await post(`${product.url}/push/subscribe`, first, token);
  await page.evaluate(keep(String(stored["renewal"])));
  await page.goto("about:blank");

  for (const next of [second, third]) {
    await worker.evaluate(change(next));
    await sendTo(product.url, PERSON, { title: "T", body: "B" });
    expect((await pushService.next()).endpoint).toBe(next?.endpoint);
  }
  // The former ones are not tried any more.
  expect(pushService.received).toHaveLength(2);
});
