/** The preview on the page: what a sender sees before anything goes out. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { lowContrastTexts, namelessControls } from "./accessibility.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { signInAs } from "./visitor.ts";

let product: Product;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  product = await startProduct();
  browser = await openBrowser({ origin: product.url });
});
afterAll(async () => {
  await browser.close();
  await product.stop();
});
beforeEach(async () => {
  page = await browser.open(product.url);
  await signInAs(page, "visitor");
});
afterEach(async () => await page.close());

const dialog = () => page.getByRole("dialog", { name: "Preview" });
const screen = (name: string) =>
  dialog()
    .locator("section")
    .filter({ has: page.getByRole("heading", { name }) });

async function openPreview(): Promise<void> {
  await page.getByRole("button", { name: "Preview" }).click();
  await dialog().waitFor();
}

describe("the preview", () => {
  it("shows tab, lock screen and phone, and names the pupil in the tab alone", async () => {
    await openPreview();
    await screen("In an open tab").getByText("Support plan meeting: Alex Example").waitFor();
    await screen("On a lock screen").getByText("Open plan").waitFor();
    await screen("As a text message").getByText("1 segment", { exact: true }).waitFor();
    expect(await screen("On a lock screen").textContent()).not.toContain("Alex");
    expect(await screen("As a text message").textContent()).not.toContain("Alex");
    expect(browser.errors).toEqual([]);
  });

  it("sends nothing", async () => {
    await openPreview();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByText("Nothing yet.").waitFor();
    await page.getByText("Press Send:").waitFor();
  });

  it("speaks the language that is chosen, from right to left where that is so", async () => {
    await openPreview();
    await dialog().getByLabel("Show it in").selectOption("ar");
    const bubble = screen("As a text message").locator(".bubble");
    expect(await bubble.getAttribute("dir")).toBe("rtl");
    expect(await bubble.getAttribute("lang")).toBe("ar");
    await screen("As a text message").getByText("2 segments").waitFor();
  });

  it("says why a text message would not go out", async () => {
    await page.getByText("Announcement", { exact: true }).click();
    await openPreview();
    const sms = screen("As a text message");
    await sms.getByText("Not among the channels chosen.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();

    await page.getByText("More options").click();
    await page.getByRole("checkbox", { name: "SMS" }).check();
    await openPreview();
    await sms.getByText("Only sent where the priority is critical.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();

    await page.getByLabel("Priority").selectOption("critical");
    await openPreview();
    expect(await sms.textContent()).not.toMatch(/Only sent|Not among/);
  });

  it("says what is wrong with the content, with its place, instead of opening", async () => {
    await page.getByText("More options").click();
    await page.getByLabel("Content (JSON)").fill('{"student_name": "Alex"}');
    await page.getByRole("button", { name: "Preview" }).click();
    const alert = page.locator("#send-form").getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("data.meeting_date");
    expect(await dialog().isVisible()).toBe(false);
  });

  it("can be read and used by everyone, and gives the focus back", async () => {
    await openPreview();
    expect(await lowContrastTexts(page)).toEqual([]);
    expect(await namelessControls(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "hidden" });
    const focused = page.locator(":focus");
    expect(await focused.textContent()).toBe("Preview");
  });
});
