/** The ways into the try-out page: by name on one's own machine, by token everywhere. */
import { randomBytes } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { horizontalOverflow, lowContrastTexts, namelessControls } from "./accessibility.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { signInAs, tokenFor } from "./visitor.ts";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openBrowser({ width: 360, height: 740 });
});
afterAll(async () => {
  await browser.close();
});

const tokenField = () => page.getByLabel("Token", { exact: true });
const useToken = () => page.getByRole("button", { name: "Use this token" }).click();

describe("on the machine that runs it", () => {
  let product: Product;
  beforeAll(async () => {
    product = await startProduct();
  });
  afterAll(async () => {
    await product.stop();
  });
  beforeEach(async () => {
    page = await browser.open(product.url);
  });
  afterEach(async () => {
    await page.close();
  });

  it("takes a name, and the same one again after a reload", async () => {
    await signInAs(page, "by-name");
    await page.reload();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.locator("#account-name").textContent()).toBe("by-name");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("#user-id:focus").waitFor();
  });

  it("takes a token of one's own", async () => {
    await page.getByText("I have a token").click();
    await tokenField().fill(await tokenFor(product.url, "by-token"));
    await useToken();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.locator("#account-name").textContent()).toBe("by-token");
  });

  it("says when a token is refused", async () => {
    const claims = Buffer.from(JSON.stringify({ sub: "somebody" })).toString("base64url");
    await page.getByText("I have a token").click();
    await tokenField().fill(`e30.${claims}.forged`);
    await useToken();
    await page.getByText("The token was refused. Sign in again.").waitFor();
  });

  it("says when a text is no token", async () => {
    await page.getByText("I have a token").click();
    await tokenField().fill("hello");
    await useToken();
    await page.getByText("That does not look like a token (JWT).").waitFor();
  });

  it("asks for a token when names stop being taken", async () => {
    await page.getByLabel("Name").waitFor();
    await page.route("**/dev/token", (route) =>
      route.fulfill({ status: 403, json: { title: "no", code: "forbidden" } }),
    );
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/Use a token instead/).waitFor();
    expect(await tokenField().isVisible()).toBe(true);
    expect(await page.getByLabel("Name").isVisible()).toBe(false);
  });
});

describe("in production", () => {
  let product: Product;
  beforeAll(async () => {
    product = await startProduct({
      NODE_ENV: "production",
      JWT_SECRET_KEY: randomBytes(32).toString("base64url"),
      DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      RATE_LIMITS: "on",
    });
  });
  afterAll(async () => {
    await product.stop();
  });
  beforeEach(async () => {
    page = await browser.open(product.url);
    await tokenField().waitFor();
  });
  afterEach(async () => {
    await page.close();
  });

  it("takes a token only, and promises nothing else", async () => {
    expect(await page.getByLabel("Name").isVisible()).toBe(false);
    const text = await page.locator("main").innerText();
    expect(text).not.toMatch(/as anybody|No password|your own machine/);
    expect(text).toContain("From whoever runs this service");
    expect(await lowContrastTexts(page)).toEqual([]);
    expect(await namelessControls(page)).toEqual([]);
    expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
  });

  it("lets in whoever has one, and asks for another after signing out", async () => {
    await tokenField().fill(await product.token("teacher-9", ["notify:send"]));
    await useToken();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Send to me" }).click();
    await page.locator("#inbox").getByRole("heading").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("#token:focus").waitFor();
  });
});
