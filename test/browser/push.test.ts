/** Browser notifications on the whole product, from `POST /notify` to the screen and back. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { reachServiceWorker } from "./service-worker.ts";
import { post, sendTo, signInAs, tokenFor } from "./visitor.ts";

/** Only a hang takes as long. */
const MAX_WAIT_MS = 15_000;
const PERSON = "phone-owner";

let pushService: PushService;
let product: Awaited<ReturnType<typeof startProduct>>;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  pushService = await startPushService();
  product = await startProduct({ PUSH_ALLOWED_HOSTS: pushService.origin });
  browser = await openBrowser({ origin: product.url });
  page = await browser.open(product.url);
  await page.clock.install();
  await signInAs(page, PERSON);
});
afterAll(async () => {
  await browser.close();
  await product.stop();
  await pushService.close();
});

async function pushState(notificationId: string): Promise<unknown> {
  const token = await tokenFor(product.url, PERSON);
  const answer = await fetch(`${product.url}/notifications/${notificationId}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return Object(await answer.json()).channel_details.push;
}

describe("browser notifications", () => {
  it("says politely when the browser has no push service to offer", async () => {
    await page.getByRole("button", { name: "Turn on browser notifications" }).click();
    // Whether the browser fails at once or hangs for minutes depends on the machine's network.
    await expect
      .poll(
        async () => {
          await page.clock.fastForward(15_000);
          return await page.getByRole("status").allTextContents();
        },
        { timeout: MAX_WAIT_MS },
      )
      .toContainEqual(expect.stringContaining("Messages still arrive in this open tab"));
    expect(await page.getByRole("button", { name: /Turn on/ }).isEnabled()).toBe(true);
  });

  it("reach a closed tab, hide what is private, and confirm that they were shown", async () => {
    const worker = await reachServiceWorker(browser.context, page);
    const key = await fetch(`${product.url}/push/vapid-public-key`);
    const { public_key: publicKey }: { public_key?: string } = Object(await key.json());
    const token = await tokenFor(product.url, PERSON);
    await post(`${product.url}/push/subscribe`, pushService.subscribe(publicKey), token);
    await page.goto("about:blank");
    await expect.poll(() => worker.openTabs(), { timeout: MAX_WAIT_MS }).toBe(0);

    const id = await sendTo(product.url, PERSON, { title: "Closed tab", body: "For your eyes" });
    const { payload } = await pushService.next();
    expect(payload).not.toContain("For your eyes");
    await worker.push(payload);

    // Asked only once it is on screen: Chromium forgets what it is asked about any earlier.
    await expect
      .poll(() => pushState(id), { timeout: MAX_WAIT_MS })
      .toMatchObject({ confirmed_at: expect.stringMatching(/^\d{4}-/) });
    const [shown, ...others] = await worker.shown();
    expect(others).toEqual([]);
    expect(shown).toMatchObject({
      icon: `${product.url}/icon.png`,
      body: expect.not.stringContaining("For your eyes"),
    });
    expect(await worker.click(shown?.tag ?? "")).toEqual([`${product.url}/`]);
    expect(await worker.shown()).toEqual([]);
  });
});
