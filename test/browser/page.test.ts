/** The try-out page on the whole product: sign in, send in two clicks, see it arrive. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startProduct } from "../support/product.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { signInAs, sendTo } from "./visitor.ts";

let product: Awaited<ReturnType<typeof startProduct>>;
let browser: Browser;
let page: Page;
let person: string;
let count = 0;

beforeAll(async () => {
  product = await startProduct();
  browser = await openBrowser({ origin: product.url });
});
afterAll(async () => {
  await browser.close();
  await product.stop();
});
beforeEach(async () => {
  count += 1;
  person = `visitor-${count}`;
  page = await browser.open(product.url);
});
afterEach(async () => {
  await page.close();
});

const inbox = () => page.getByRole("list", { name: /^Inbox/ });
const chip = (channel: string) => page.locator(`.sent-card >> nth=0 >> [data-channel=${channel}]`);

describe("sending to oneself", () => {
  it("takes two clicks, fills the inbox and shows what each channel did", async () => {
    await signInAs(page, person);
    await page.getByText("Announcement", { exact: true }).click();
    await page.getByRole("button", { name: "Send to me" }).click();

    await inbox().getByRole("heading", { name: "The library closes early on Friday" }).waitFor();
    await chip("websocket").getByText("confirmed").waitFor();
    await chip("push").getByText("already reached").waitFor();
    await chip("sms").getByText("not asked for").waitFor();
    await page.locator(".sent-card").getByText("Delivered", { exact: true }).waitFor();
    expect(browser.errors).toEqual([]);
  });

  it.each(["Meeting reminder", "Deadline warning", "Class created", "Student matching"])(
    "works for the example %s",
    async (example) => {
      await signInAs(page, person);
      await page.getByText(example, { exact: true }).click();
      await page.getByRole("button", { name: "Send to me" }).click();
      await chip("websocket").getByText("confirmed").waitFor();
      expect(await inbox().getByRole("listitem").count()).toBe(1);
    },
  );

  it("shows times of the afternoon, in the zone of the browser", async () => {
    await signInAs(page, person);
    await page.getByRole("button", { name: "Send to me" }).click();
    await inbox()
      .getByText(/ 2:00.PM\. Place: Room 12/)
      .waitFor();
  });

  it("tells every step", async () => {
    await signInAs(page, person);
    await page.getByRole("button", { name: "Send to me" }).click();
    await chip("websocket").getByText("confirmed").waitFor();
    await page.getByText("Every step").click();
    await page
      .getByText(/^WebSocket: .*delivered/)
      .first()
      .waitFor();
  });
});

describe("sending to others", () => {
  it("shows the text message of somebody who is not online", async () => {
    await signInAs(page, person);
    await page.getByText("Nobody is online", { exact: true }).click();
    await page.getByRole("button", { name: "Send to parent-offline" }).click();
    await chip("sms").getByText("delivered").waitFor();
    await chip("websocket").getByText("no tab open").waitFor();
    await page.getByText("To +46701740605").first().waitFor();
    expect(await page.locator("#outbox").textContent()).not.toContain("Alex Example");
  });

  it("says what is wrong with a request", async () => {
    await signInAs(page, person);
    await page.getByText("More options").click();
    await page.getByLabel("Content (JSON)").fill('{"student_name": "Alex"}');
    await page.getByRole("button", { name: "Send to me" }).click();
    const alert = page.locator("#send-form").getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("meeting_date");
  });

  it("says what is wrong before anything is sent", async () => {
    await signInAs(page, person);
    await page.getByText("More options").click();
    await page.getByLabel("Content (JSON)").fill("not json");
    await page.getByRole("button", { name: "Send to me" }).click();
    await page.getByText("The content is not a JSON object.").waitFor();
  });
});

describe("receiving", () => {
  it("shows live what somebody else sends, and tells a screen reader", async () => {
    await signInAs(page, person);
    await sendTo(product.url, person, { title: "Bus is late", body: "Ten minutes." });
    await inbox().getByRole("heading", { name: "Bus is late" }).waitFor();
    const region = page.locator("[aria-live=polite]").getByText("New notification: Bus is late");
    await region.waitFor({ state: "attached" });
    expect(await page.title()).toBe("(1) Schoolbell");
  });

  it("shows markup as the text that it is", async () => {
    await signInAs(page, person);
    const title = '<img src=x onerror="document.title=1"><b>bold</b>';
    await sendTo(product.url, person, { title, body: "<script>alert(1)</script>" });
    await inbox().getByRole("heading", { name: title }).waitFor();
    expect(await inbox().locator("img, b, script").count()).toBe(0);
  });

  it("writes Arabic from right to left", async () => {
    await signInAs(page, person);
    await page.getByText("More options").click();
    await page.getByLabel("Language").selectOption("ar");
    await page.getByRole("button", { name: "Send to me" }).click();
    const heading = inbox().getByRole("heading");
    await heading.waitFor();
    expect(await heading.getAttribute("dir")).toBe("rtl");
    expect(await heading.getAttribute("lang")).toBe("ar");
  });

  it("shows the next person nothing of the last one's", async () => {
    await signInAs(page, person);
    await sendTo(product.url, person, { title: "Private", body: "Text" });
    await inbox().getByRole("heading", { name: "Private" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await signInAs(page, `${person}-next`);
    await page.getByText("Nothing yet.").waitFor();
    expect(await page.getByText("Private").count()).toBe(0);
  });
});
