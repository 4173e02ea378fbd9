/** What becomes of subscriptions, with a real Firefox: given up, lost, made with an older key, passed on. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { openFirefoxStage, shownBy, type FirefoxStage } from "./firefox-stage.ts";
import { tokenFor } from "./visitor.ts";

/** Only a hang takes as long. */
const WAIT = { timeout: 30_000 };
/** What Firefox gives as its reason when a page unsubscribed. */
const BY_THE_PAGE = 200;

const oldKeys = makeVapidPair();
const newKeys = makeVapidPair();

let stage: FirefoxStage;

beforeAll(async () => {
  stage = await openFirefoxStage({
    VAPID_PUBLIC_KEY: oldKeys.publicKey,
    VAPID_PRIVATE_KEY: oldKeys.privateKey,
  });
}, 180_000);
afterAll(async () => {
  await stage.close();
}, 60_000);

afterEach(async () => {
  await stage.firefox.closeTabs(stage.product.url);
});

/** Sends by push alone, and waits for what became of it. */
async function push(person: string, title: string): Promise<{ id: string; state: string }> {
  const { body } = await stage.product.notify({
    user_id: person,
    template_id: "announcement",
    data: { title, body: "Text" },
    channels: ["push"],
  });
  return { id: String(body["notification_id"]), state: Object(body["channels"]).push };
}

async function reasonOf(id: string): Promise<unknown> {
  return Object(await stage.pushState(id)).reason;
}

describe("a subscription", () => {
  it("that the browser gave up by itself is tried once more, and then never again", async () => {
    const page = await stage.subscribe("gave-up");
    expect((await push("gave-up", "Still there")).state).toBe("delivered");
    const refusedBefore = stage.autopush.refused.length;
    await page.evaluate(`navigator.serviceWorker.ready
      .then((registration) => registration.pushManager.getSubscription())
      .then((subscription) => subscription.unsubscribe())`);
    expect(await stage.autopush.nextUnregister()).toBe(BY_THE_PAGE);
    await page.close();

    const first = await push("gave-up", "Too late");
    expect(first.state).toBe("failed");
    expect(await reasonOf(first.id)).toBe("gone");
    expect(stage.autopush.refused.slice(refusedBefore).map(({ status }) => status)).toEqual([410]);

    const second = await push("gave-up", "Much too late");
    expect(second.state).toBe("skipped");
    expect(await reasonOf(second.id)).toBe("no_subscription");
    expect(stage.autopush.refused.length).toBe(refusedBefore + 1);
  });

  it("is given up by both sides when its person signs out", async () => {
    const page = await stage.subscribe("signed-out");
    const before = stage.autopush.subscriptionCount;
    await page.locator("#sign-out").click();
    expect(await stage.autopush.nextUnregister()).toBe(BY_THE_PAGE);
    expect(stage.autopush.subscriptionCount).toBe(before - 1);
    await page.waitForSelector("#workspace[hidden]");
    expect(await reasonOf((await push("signed-out", "Nobody here")).id)).toBe("no_subscription");
    await page.close();
  });

  it("belongs to whoever signed in last on this computer", async () => {
    const first = await stage.subscribe("first-user");
    await first.close();
    const second = await stage.visit("second-user");
    await second.waitForSelector("#push-text[data-state=on]");
    expect(await reasonOf((await push("first-user", "Not for you")).id)).toBe("no_subscription");
    expect((await push("second-user", "For you")).state).toBe("delivered");
    await expect
      .poll(async () => (await shownBy(second)).map(({ body }) => body), WAIT)
      .toContain("For you");
    await second.close();
  });

  it("that the push service lost is made anew at once where a page is open", async () => {
    const page = await stage.subscribe("lost");
    expect((await push("lost", "Before")).state).toBe("delivered");
    const lost = stage.autopush.posted.at(-1)?.endpoint;
    stage.autopush.forgetBrowsers();
    await expect.poll(() => stage.autopush.subscriptionCount, WAIT).toBe(1);
    await page.waitForSelector("#push-text[data-state=on]");
    await expect.poll(async () => (await push("lost", "After")).state, WAIT).toBe("delivered");
    expect(stage.autopush.posted.at(-1)?.endpoint).not.toBe(lost);
    await expect
      .poll(async () => (await shownBy(page)).map(({ body }) => body), WAIT)
      .toContain("After");
    await page.close();
  });

  it("that the push service lost is made anew by the service worker where no page is open", async () => {
    const page = await stage.subscribe("away");
    expect((await push("away", "Before")).state).toBe("delivered");
    await page.close();
    stage.autopush.forgetBrowsers();
    await expect.poll(() => stage.autopush.subscriptionCount, WAIT).toBe(1);
    // The browser has it before the service knows of it.
    await expect.poll(async () => (await push("away", "After")).state, WAIT).toBe("delivered");
    await expect
      .poll(async () => (await stage.firefox.screen.alerts()).map(({ text }) => text), WAIT)
      .toContain("After");
  });
});

describe("new VAPID keys", () => {
  it("leave the old ones good for a browser until it comes by, which then takes the new ones", async () => {
    const page = await stage.subscribe("rotated");
    await page.close();
    await stage.restartProduct({
      VAPID_PUBLIC_KEY: newKeys.publicKey,
      VAPID_PRIVATE_KEY: newKeys.privateKey,
      VAPID_PREVIOUS_KEYS: `${oldKeys.publicKey}:${oldKeys.privateKey}`,
    });
    expect((await push("rotated", "Before the visit")).state).toBe("delivered");
    expect(stage.autopush.posted.at(-1)?.vapid?.key).toBe(oldKeys.publicKey);

    const again = await stage.visit("rotated");
    await again.waitForSelector("#push-text[data-state=on]");
    const postsBefore = stage.autopush.posted.length;
    const refusedBefore = stage.autopush.refused.length;
    expect((await push("rotated", "After the visit")).state).toBe("delivered");
    const posts = stage.autopush.posted.slice(postsBefore);
    expect(posts.map(({ vapid }) => vapid?.key)).toEqual([newKeys.publicKey]);
    // Nothing is sent to what the browser had before.
    expect(stage.autopush.refused.length).toBe(refusedBefore);
    await expect
      .poll(async () => (await shownBy(again)).map(({ body }) => body), WAIT)
      .toEqual(expect.arrayContaining(["Before the visit", "After the visit"]));
    await again.close();
  });

  it("do not bring a browser back that its person took off the list", async () => {
    const page = await stage.subscribe("taken-off");
    await page.close();
    const token = await tokenFor(stage.product.url, "taken-off");
    const headers = { authorization: `Bearer ${token}` };
    const devices = async (): Promise<{ id: string }[]> => {
      const answer = await fetch(`${stage.product.url}/push/subscriptions`, { headers });
      return Object(await answer.json()).subscriptions;
    };
    const [device] = await devices();
    const url = `${stage.product.url}/push/subscriptions/${device?.id}`;
    expect((await fetch(url, { method: "DELETE", headers })).status).toBe(204);
    const next = makeVapidPair();
    await stage.restartProduct({
      VAPID_PUBLIC_KEY: next.publicKey,
      VAPID_PRIVATE_KEY: next.privateKey,
      VAPID_PREVIOUS_KEYS: `${newKeys.publicKey}:${newKeys.privateKey}`,
    });

    const again = await stage.visit("taken-off");
    await again.waitForSelector("#push-text[data-state=trouble]");
    expect(await devices()).toEqual([]);
    await again.close();
  });
});
