/** The try-out page while the service is restarted: it comes back by itself and misses nothing. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { sendTo, signInAs } from "./visitor.ts";

let store: TestRedis;
let product: Product;
let browser: Browser;

beforeAll(async () => {
  store = await openTestRedis();
  product = await startProduct({}, store);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await product.stop();
  await store.close();
});

it("shows what was sent while it was away, once", async () => {
  const page = await browser.open(product.url);
  await signInAs(page, "patient");
  await sendTo(product.url, "patient", { title: "Before", body: "Text" });
  const inbox = page.getByRole("list", { name: /^Inbox/ });
  await inbox.getByRole("heading", { name: "Before" }).waitFor();

  const { port } = new URL(product.url);
  await product.stop();
  await page.getByText(/^Offline, trying again/).waitFor();

  // Another process takes over; at first without a gateway, so that the page cannot come back yet.
  const sender = await startProduct({ ROLES: "api,worker" }, store);
  await sendTo(sender.url, "patient", { title: "Meanwhile", body: "Text" });
  await sender.stop();
  product = await startProduct({ PORT: port }, store);

  await page.getByText("Live", { exact: true }).waitFor({ timeout: 30_000 });
  await inbox.getByRole("heading", { name: "Meanwhile" }).waitFor();
  expect(await inbox.getByRole("heading").allTextContents()).toEqual(["Meanwhile", "Before"]);
}, 60_000);
