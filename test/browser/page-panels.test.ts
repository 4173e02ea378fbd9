/** What surrounds the inbox on the try-out page: what was sent, health, and where links lead. */
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startProduct } from "../support/product.ts";
import { horizontalOverflow, lowContrastTexts, namelessControls } from "./accessibility.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { sendTo, signInAs } from "./visitor.ts";

const HEIGHT = 740;

let product: Awaited<ReturnType<typeof startProduct>>;
let browser: Browser;
let page: Page;
let person: string;
let count = 0;

beforeAll(async () => {
  product = await startProduct();
  browser = await openBrowser({ width: 360, height: HEIGHT });
});
afterAll(async () => {
  await browser.close();
  await product.stop();
});
beforeEach(async () => {
  count += 1;
  person = `owner-${count}`;
  page = await browser.open(product.url);
});
afterEach(async () => {
  await page.close();
});

const cards = () => page.locator(".sent-card");

async function sendAnnouncement(times: number): Promise<void> {
  await page.getByText("Announcement", { exact: true }).click();
  for (let sent = 1; sent <= times; sent += 1) {
    await page.getByRole("button", { name: "Send to me" }).click();
    await page
      .locator("#inbox li")
      .nth(sent - 1)
      .waitFor();
  }
}

describe("on a phone", () => {
  it("shows the message that one sends oneself, without any scrolling", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await signInAs(page, person);
    for (const title of ["A", "B", "C", "D", "E"]) {
      await sendTo(product.url, person, { title, body: "Text" });
    }
    await page.locator("#inbox li").nth(4).waitFor();
    await page.getByText("Announcement", { exact: true }).click();
    // As one scrolls down to it: no further than needed.
    const send = page.getByRole("button", { name: "Send to me" });
    await send.focus();
    await page.evaluate("document.getElementById('send').scrollIntoView({ block: 'end' })");
    await page.keyboard.press("Enter");
    await page.locator("#inbox li").nth(5).waitFor();
    await cards().getByText("Delivered", { exact: true }).waitFor();
    const box = await page.locator("#inbox li").first().boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(HEIGHT);
  });

  it("puts the inbox before what happened, in the order of reading too", async () => {
    await signInAs(page, person);
    const headings = await page.locator("#workspace h2").allInnerTexts();
    expect(headings.map((text) => text.trim()).slice(0, 3)).toEqual([
      "Send a notification",
      "Inbox",
      "What happened",
    ]);
  });
});

describe("what happened", () => {
  it("keeps the last ten, says so, and folds all but the newest", async () => {
    await signInAs(page, person);
    await sendAnnouncement(11);
    expect(await cards().count()).toBe(10);
    await page.getByText(/Your last ten/).waitFor();
    const list = (card: Locator) => card.getByRole("list", { name: "Channels" });
    expect(await list(cards().first()).isVisible()).toBe(true);
    expect(await list(cards().nth(1)).isVisible()).toBe(false);
    await cards().nth(1).getByText("Channels and steps").click();
    await list(cards().nth(1)).getByText("confirmed").waitFor();
    expect(await list(cards().nth(2)).isVisible()).toBe(false);
  });

  it("explains why there was no text message", async () => {
    await signInAs(page, person);
    await page.getByText("Announcement", { exact: true }).click();
    await page.getByText("More options").click();
    await page.getByLabel("SMS", { exact: true }).check();
    await page.getByLabel("To", { exact: true }).fill(`${person}-away`);
    await page.getByRole("button", { name: /^Send to/ }).click();
    await cards().getByText("only if critical or about a support plan (IEP)").waitFor();
  });
});

describe("text messages", () => {
  it("are not said to be kept here where a provider sends them to phones", async () => {
    const provided = await startProduct({
      SMS_WEBHOOK_URL: "http://127.0.0.1:9/messages",
      SMS_WEBHOOK_SECRET: "s".repeat(32),
    });
    try {
      await page.goto(provided.url);
      await signInAs(page, person);
      await page.getByText("text messages go to real phones").waitFor();
      expect(await page.getByText("kept here").count()).toBe(0);
    } finally {
      await provided.stop();
    }
  });

  it("are kept here where there is no provider, and the steps of one say so", async () => {
    await signInAs(page, person);
    await page.getByText("They are not sent to real phones but kept here").waitFor();
    await page.getByText("Nobody is online", { exact: true }).click();
    await page.getByRole("button", { name: /^Send to/ }).click();
    await page.locator("#outbox li").waitFor();
    await cards().first().getByText("Every step").click();
    await cards().getByText("SMS: pending → sending (to this page)").waitFor();
  });
});

describe("a text message that a provider has taken", () => {
  it("is followed until its carrier says whether it arrived", async () => {
    let looks = 0;
    await page.route("**/notifications/*", async (route) => {
      looks += 1;
      const answer = await route.fetch();
      const text = (await answer.text()).replaceAll('"outbox"', '"webhook"');
      const view: Record<string, unknown> = Object(JSON.parse(text));
      const details: Record<string, object> = Object(view["channel_details"]);
      const said = looks > 7 ? { confirmed_at: new Date().toISOString() } : {};
      const sms = { ...details["sms"], ...said };
      await route.fulfill({ json: { ...view, channel_details: { ...details, sms } } });
    });
    await signInAs(page, person);
    await page.getByText("Nobody is online", { exact: true }).click();
    await page.getByRole("button", { name: /^Send to/ }).click();
    await cards().first().getByText("confirmed", { exact: true }).waitFor();
  });
});

describe("the header", () => {
  it("shows the health of each part without leaving the page", async () => {
    await signInAs(page, person);
    await page.getByRole("button", { name: "Health" }).click();
    const dialog = page.getByRole("dialog", { name: "Health" });
    await dialog.getByText("Storage (Redis)").waitFor();
    expect(await dialog.getByText("healthy", { exact: true }).count()).toBeGreaterThanOrEqual(3);
    expect(await dialog.getByText(/Open connections: \d/).count()).toBe(1);
    expect(await lowContrastTexts(page)).toEqual([]);
    expect(await namelessControls(page)).toEqual([]);
    expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
    await page.keyboard.press("Escape");
    await page.locator("#health-open:focus").waitFor();
  });

  it("shows which part is not working", async () => {
    await page.route("**/health", async (route) => {
      const answer = await route.fetch();
      const health: object = Object(await answer.json());
      const wrong = { queue: "unhealthy", push_reason: "keys_refused" };
      const open_breakers = { push: 2, sms: 0 };
      await route.fulfill({ json: { ...health, status: "degraded", open_breakers, ...wrong } });
    });
    await page.getByRole("button", { name: "Health" }).click();
    const dialog = page.getByRole("dialog", { name: "Health" });
    await dialog.getByText("working with trouble").waitFor();
    expect(await dialog.getByText("not working").count()).toBe(1);
    await dialog.getByText("A push service refuses the keys").waitFor();
    await dialog.getByText("Providers not asked for a while, as they failed: 2.").waitFor();
  });

  it("opens the API's description beside the page, and says so", async () => {
    const link = page.getByRole("link", { name: "API docs (opens in a new tab)" });
    const [docs] = await Promise.all([browser.context.waitForEvent("page"), link.click()]);
    await docs.waitForURL("**/docs");
    expect(await docs.evaluate<unknown>("window.opener")).toBeNull();
    await docs.close();
    expect(new URL(page.url()).pathname).toBe("/");
  });
});

describe("the list of error codes", () => {
  it("fits a phone with all its columns", async () => {
    await page.goto(`${product.url}/docs/errors`);
    const row = page.getByRole("row").filter({ hasText: "rate_limited" }).first();
    expect(await row.getByRole("cell").count()).toBe(5);
    for (const cell of await row.getByRole("cell").all()) {
      const box = await cell.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 361)).toBeLessThanOrEqual(360);
    }
    const inner = "document.querySelector('.scroll').scrollWidth";
    expect(await page.evaluate<number>(inner)).toBeLessThanOrEqual(360);
    expect(await lowContrastTexts(page)).toEqual([]);
    expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
  });
});
