/** The try-out page for everybody: by keyboard, by screen reader, on a phone, in the dark. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct } from "../support/product.ts";
import { horizontalOverflow, lowContrastTexts, namelessControls } from "./accessibility.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { signInAs } from "./visitor.ts";

let product: Awaited<ReturnType<typeof startProduct>>;
beforeAll(async () => {
  product = await startProduct();
});
afterAll(async () => {
  await product.stop();
});

async function expectFit(page: Page): Promise<void> {
  expect(await lowContrastTexts(page)).toEqual([]);
  expect(await namelessControls(page)).toEqual([]);
  expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
}

describe.each([
  { name: "on a desk in light", width: 1280, height: 900, dark: false },
  { name: "on a phone in the dark", width: 360, height: 740, dark: true },
])("$name", ({ width, height, dark }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser({ width, height, dark });
  });
  afterAll(async () => {
    await browser.close();
  });

  it("is readable, named and no wider than the window, before and after signing in", async () => {
    const page = await browser.open(product.url);
    await page.getByText("I have a token").click();
    await expectFit(page);
    await signInAs(page, `reader-${width}`);
    await page.getByText("More options").click();
    await page.getByText("Deadline warning", { exact: true }).click();
    await page.getByRole("button", { name: "Send to me" }).click();
    await page.locator(".chip").getByText("confirmed").waitFor();
    await page.getByText("Every step").click();
    await page.getByText("Nobody is online", { exact: true }).click();
    await page.getByRole("button", { name: "Send to parent-offline" }).click();
    await page.getByText("To +46701740605").first().waitFor();
    await expectFit(page);
    await page.close();
  });

  it("can be used with the keyboard alone", async () => {
    const page = await browser.open(product.url);
    await page.getByLabel("Name").focus();
    await page.getByLabel("Name").press("Enter");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.keyboard.press("Tab");
    // Inside the examples, arrows choose.
    await page.keyboard.press("ArrowDown");
    expect(await page.getByRole("radio", { name: /Deadline warning/ }).isChecked()).toBe(true);
    await page.keyboard.press("Enter");
    await page.locator(".sent-card").getByText("Delivered", { exact: true }).waitFor();
    await page.close();
  });

  it("has one heading per region and a way past the header", async () => {
    const page = await browser.open(product.url);
    await page.getByRole("link", { name: "Skip to the content" }).focus();
    await page.keyboard.press("Enter");
    expect(new URL(page.url()).hash).toBe("#main");
    expect(await page.getByRole("heading", { level: 1 }).allTextContents()).toEqual(["Schoolbell"]);
    await page.close();
  });
});
