/** A real Firefox receives real pushes: from `POST /notify` over a push service to the screen and back. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import webPush from "web-push";
import { z } from "zod";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import type { Alert } from "./firefox-screen.ts";
import { openFirefoxStage, shownBy, type FirefoxStage } from "./firefox-stage.ts";

/** Only a hang takes as long. */
const WAIT = { timeout: 30_000 };
/** What Firefox says of a push that it decrypted and handed to the service worker. */
const HANDED_OVER = 100;
const PERSON = "firefox-owner";
/** What an announcement is called where everybody can read it. */
const PUBLIC_TITLE = "New announcement";

const keys = makeVapidPair();
const subscriptionSchema = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
});

let stage: FirefoxStage;
/** From the push service's answer to the word of the browser that its service worker has it. */
const pushMs: number[] = [];
const confirmedMs: number[] = [];

beforeAll(async () => {
  stage = await openFirefoxStage({
    VAPID_PUBLIC_KEY: keys.publicKey,
    VAPID_PRIVATE_KEY: keys.privateKey,
  });
}, 180_000);
afterAll(async () => {
  const span = (times: readonly number[]): string =>
    `${Math.round(Math.min(...times))}-${Math.round(Math.max(...times))} ms`;
  console.log(
    `${stage.firefox.version}: subscribed in ${span(stage.subscribeMs)}, ` +
      `POST to decrypted push event in ${span(pushMs)}, ` +
      `POST /notify to the receipt in ${span(confirmedMs)}`,
  );
  await stage.close();
}, 60_000);

afterEach(async () => {
  await stage.firefox.closeTabs(stage.product.url);
});

/** Sends one, and follows it over the push service into the browser. @returns what `send` does. */
async function handOver<T>(send: () => Promise<T>): Promise<T> {
  const already = stage.autopush.posted.length;
  const sent = await send();
  await expect.poll(() => stage.autopush.posted.length, WAIT).toBe(already + 1);
  const post = stage.autopush.posted[already];
  const ack = await stage.autopush.ackOf(post?.version ?? "");
  expect(ack.code).toBe(HANDED_OVER);
  pushMs.push(ack.at - (post?.at ?? 0));
  return sent;
}

async function confirmed(id: string): Promise<void> {
  await expect
    .poll(() => stage.pushState(id), WAIT)
    .toMatchObject({ confirmed_at: expect.stringMatching(/^\d{4}-/) });
}

/** The notifications on the screen that are like this, once there is one. */
async function onScreen(like: Partial<Alert>): Promise<Alert[]> {
  let found: Alert[] = [];
  await expect
    .poll(async () => {
      found = (await stage.firefox.screen.alerts()).filter((alert) =>
        Object.entries(like).every(([name, value]) => Object(alert)[name] === value),
      );
      return found.length;
    }, WAIT)
    .toBeGreaterThan(0);
  return found;
}

async function ourTabs(): Promise<string[]> {
  const tabs = await stage.firefox.tabs();
  return tabs.filter((url) => url.startsWith(stage.product.url));
}

describe("a Firefox that subscribed through our page", () => {
  it("decrypts a push, shows it, and the notification is confirmed", async () => {
    const page = await stage.subscribe(PERSON);
    const startedAt = performance.now();
    const id = await handOver(() => stage.announce(PERSON, "Page open", { channels: ["push"] }));
    await confirmed(id);
    confirmedMs.push(performance.now() - startedAt);
    expect(await shownBy(page)).toEqual([
      expect.objectContaining({ title: PUBLIC_TITLE, body: "Page open", dir: "ltr", lang: "en" }),
    ]);
    expect(stage.firefox.errors).toEqual([]);
    await page.close();
  });

  it("shows what comes while no page of ours is open, and no more than everybody may see", async () => {
    await expect.poll(ourTabs).toEqual([]);
    const startedAt = performance.now();
    const id = await handOver(() => stage.announce(PERSON, "Page closed"));
    await confirmed(id);
    confirmedMs.push(performance.now() - startedAt);
    expect(await onScreen({ text: "Page closed" })).toEqual([
      expect.objectContaining({ title: PUBLIC_TITLE, hasIcon: true }),
    ]);
    expect(await ourTabs()).toEqual([]);
  });

  it("is led by a click to the page that the notification is about", async () => {
    const data = { title: "Plan changed", body: "Text", url: "/iep/iep-1" };
    await handOver(() => stage.announce(PERSON, data.title, { data }));
    await onScreen({ text: data.title });
    await stage.firefox.screen.click(data.title);
    await expect.poll(ourTabs).toEqual([`${stage.product.url}/iep/iep-1`]);
  });

  it("is led by a click to the tab that is open, which comes to the front", async () => {
    const page = await stage.subscribe(PERSON);
    await page.evaluate(`void (globalThis.told = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("message", ({ data }) =>
        data.type === "push_clicked" && resolve(data.notification_id))))`);
    const other = await stage.firefox.open("about:blank");
    await expect.poll(() => page.evaluate("document.visibilityState")).toBe("hidden");
    const id = await handOver(() => stage.announce(PERSON, "Look here", { channels: ["push"] }));
    await onScreen({ text: "Look here" });
    await stage.firefox.screen.click("Look here");
    expect(await page.evaluate("globalThis.told")).toBe(id);
    await expect.poll(() => page.evaluate("document.visibilityState")).toBe("visible");
    expect(await ourTabs()).toHaveLength(1);
    await other.close();
    await page.close();
  });

  it("shows Arabic from right to left, and says that it is Arabic", async () => {
    const page = await stage.subscribe(PERSON);
    await handOver(() =>
      stage.announce(PERSON, "", {
        template_id: "iep_meeting_reminder",
        data: { student_name: "Alex Example", meeting_date: "2031-05-06T10:00:00Z" },
        channels: ["push"],
        locale: "ar",
      }),
    );
    const title = "اجتماع بشأن خطة دعم";
    await expect
      .poll(() => shownBy(page), WAIT)
      .toContainEqual(
        expect.objectContaining({
          title,
          dir: "rtl",
          lang: "ar",
          body: expect.stringContaining("2031"),
        }),
      );
    await onScreen({ title, direction: "rtl", language: "ar" });
    await page.close();
  });
});

describe("whatever is pushed", () => {
  it("shows something, since browsers take the leave from those that do not", async () => {
    const page = await stage.subscribe(PERSON);
    const subscription = subscriptionSchema.parse(
      await page.evaluate(`navigator.serviceWorker.ready
        .then((registration) => registration.pushManager.getSubscription())
        .then((subscription) => subscription.toJSON())`),
    );
    await page.close();
    const sealed = webPush.generateRequestDetails(subscription, "not JSON", {
      vapidDetails: { ...keys, subject: "mailto:operator@school.example" },
      contentEncoding: "aes128gcm",
      TTL: 60,
    });
    const { method, headers, body } = sealed;
    const answer = await handOver(() =>
      fetch(sealed.endpoint, { method, headers, body: new Uint8Array(body) }),
    );
    expect(answer.status).toBe(201);
    await onScreen({ title: "New notification" });
  });
});

describe("a Firefox that was away", () => {
  it("gets what came meanwhile, of one matter only the newest, in the order it came", async () => {
    const page = await stage.subscribe(PERSON);
    const warn = (iepId: string, days: number) => ({
      template_id: "iep_deadline_warning",
      priority: "high",
      channels: ["push"],
      data: {
        student_name: "Alex Example",
        iep_id: iepId,
        deadline_date: "2031-05-06T10:00:00Z",
        days_remaining: days,
      },
    });
    stage.autopush.cutOff();
    let already = stage.autopush.posted.length;
    for (const [iepId, days] of [
      ["iep-1", 3],
      ["iep-2", 5],
      ["iep-1", 2],
    ] as const) {
      await stage.announce(PERSON, "", warn(iepId, days));
      await expect.poll(() => stage.autopush.posted.length, WAIT).toBe((already += 1));
    }
    stage.autopush.letIn();
    const [, second, third] = stage.autopush.posted.slice(-3);
    const acks = await Promise.all(
      [second, third].map((post) => stage.autopush.ackOf(post?.version ?? "")),
    );
    expect(acks.map(({ code }) => code)).toEqual([HANDED_OVER, HANDED_OVER]);
    expect(acks[0]?.at).toBeLessThan(acks[1]?.at ?? 0);
    await expect
      .poll(async () => (await shownBy(page)).map(({ body }) => body), WAIT)
      .toEqual(
        expect.arrayContaining([expect.stringMatching(/5 days/), expect.stringMatching(/2 days/)]),
      );
    await page.close();
  });

  it("shows what came while the program did not run, as soon as it is started", async () => {
    await stage.firefox.quit();
    const already = stage.autopush.posted.length;
    const id = await stage.announce(PERSON, "Good morning");
    await expect.poll(() => stage.autopush.posted.length, WAIT).toBe(already + 1);
    await stage.firefox.start();
    const { code } = await stage.autopush.ackOf(stage.autopush.posted[already]?.version ?? "");
    expect(code).toBe(HANDED_OVER);
    await confirmed(id);
    await onScreen({ text: "Good morning" });
    expect(await ourTabs()).toEqual([]);
  }, 180_000);
});
