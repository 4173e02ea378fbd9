/** A real Firefox receives real pushes: from `POST /notify` over a push service to the screen and back. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFirefoxStage, shownBy, type FirefoxStage } from "./firefox-stage.ts";

/** Only a hang takes as long. */
const MAX_WAIT_MS = 30_000;
/** What Firefox says of a push that it decrypted and handed to the service worker. */
const HANDED_OVER = 100;
const PERSON = "firefox-owner";
/** What an announcement is called where everybody can read it. */
const PUBLIC_TITLE = "New announcement";

let stage: FirefoxStage;
/** From the push service's answer to the word of the browser that its service worker has it. */
const pushMs: number[] = [];
const confirmedMs: number[] = [];

beforeAll(async () => {
  stage = await openFirefoxStage();
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

/** Follows one notification from the push service into the browser. */
async function handedOver(): Promise<void> {
  const post = await stage.autopush.nextPost();
  const ack = await stage.autopush.nextAck();
  expect(ack).toMatchObject({ version: post.version, code: HANDED_OVER });
  pushMs.push(ack.at - post.at);
}

async function confirmed(id: string): Promise<void> {
  await expect
    .poll(() => stage.pushState(id), { timeout: MAX_WAIT_MS })
    .toMatchObject({ confirmed_at: expect.stringMatching(/^\d{4}-/) });
}

/** The notifications on the screen, once there is one with this text. */
async function onScreen(text: string) {
  await expect
    .poll(() => stage.firefox.screen.alerts(), { timeout: MAX_WAIT_MS })
    .toContainEqual(expect.objectContaining({ text }));
  const alerts = await stage.firefox.screen.alerts();
  return alerts.filter((alert) => alert.text === text);
}

async function ourTabs(): Promise<string[]> {
  const tabs = await stage.firefox.tabs();
  return tabs.filter((url) => url.startsWith(stage.product.url));
}

describe("a Firefox that subscribed through our page", () => {
  it("decrypts a push, shows it, and the notification is confirmed", async () => {
    const page = await stage.subscribe(PERSON);
    const startedAt = performance.now();
    const id = await stage.announce(PERSON, "Page open", { channels: ["push"] });
    await handedOver();
    await confirmed(id);
    confirmedMs.push(performance.now() - startedAt);
    expect(await shownBy(page)).toEqual([
      expect.objectContaining({ title: PUBLIC_TITLE, body: "Page open", dir: "ltr", lang: "en" }),
    ]);
    await page.close();
  });

  it("shows what comes while no page of ours is open, and no more than everybody may see", async () => {
    await expect.poll(ourTabs).toEqual([]);
    const startedAt = performance.now();
    const id = await stage.announce(PERSON, "Page closed");
    await handedOver();
    await confirmed(id);
    confirmedMs.push(performance.now() - startedAt);
    expect(await onScreen("Page closed")).toEqual([
      expect.objectContaining({ title: PUBLIC_TITLE, hasIcon: true }),
    ]);
    expect(await ourTabs()).toEqual([]);
  });
});
