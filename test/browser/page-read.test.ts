/** Read and unread on the try-out page, across reloads and restarts of the service. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startProduct } from "../support/product.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { sendTo, signInAs } from "./visitor.ts";

let product: Awaited<ReturnType<typeof startProduct>>;
let browser: Browser;
let page: Page;
let person: string;
let count = 0;

beforeAll(async () => {
  product = await startProduct();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await product.stop();
});
beforeEach(async () => {
  count += 1;
  person = `reader-${count}`;
  page = await browser.open(product.url);
});
afterEach(async () => {
  await page.close();
});

const heading = (name: string) => page.locator("#inbox").getByRole("heading", { name });
const markRead = (title: string) => page.getByRole("button", { name: `Mark read: ${title}` });

async function receive(titles: readonly string[]): Promise<void> {
  for (const title of titles) {
    await sendTo(product.url, person, { title, body: "Text" });
    await heading(title).waitFor();
  }
}

/** As after a restart of Redis: later messages belong to a new epoch, earlier ones stay. */
async function changeEpoch(): Promise<void> {
  const { redis, keyspace } = product.foundation;
  const key = keyspace.sharded(keyspace.shardOfUser(person), "gen");
  const [, generation] = (await redis.get(key))?.split(" ") ?? [];
  await redis.set(key, `a-run-before ${generation}`);
}

describe("after a reload", () => {
  it("what was received but not read is still new", async () => {
    await signInAs(page, person);
    await receive(["One", "Two", "Three"]);
    await page.getByText("3 new", { exact: true }).waitFor();
    await page.reload();
    await heading("One").waitFor();
    await page.getByText("3 new", { exact: true }).waitFor();
    expect(await markRead("One").isVisible()).toBe(true);
  });

  it("what was read stays read", async () => {
    await signInAs(page, person);
    await receive(["Before"]);
    await markRead("Before").click();
    await page.reload();
    await heading("Before").waitFor();
    await receive(["After"]);
    await page.getByText("1 new", { exact: true }).waitFor();
    expect(await markRead("Before").count()).toBe(0);
    const titles = await page.locator("#inbox").getByRole("heading").allTextContents();
    expect(titles).toEqual(["After", "Before"]);
  });

  it("all stays read, also what came before the service restarted", async () => {
    await signInAs(page, person);
    await receive(["Old one", "Old two"]);
    await changeEpoch();
    await receive(["Fresh"]);
    await page.getByText("3 new", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Mark all read" }).click();
    await page.reload();
    await heading("Old one").waitFor();
    await receive(["Newest"]);
    await page.getByText("1 new", { exact: true }).waitFor();
    expect(await page.locator("#inbox .unread").count()).toBe(1);
  });
});
