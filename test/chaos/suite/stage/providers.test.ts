/** Each weather as the product's own channels meet it, and what the record says of it afterwards. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTwilioSmsChannel } from "../../../../src/channels/sms/sms-channel-twilio.ts";
import { createSystemClock } from "../../../../src/platform/clock.ts";
import { openPushChannel, pushMessage, VAPID } from "../../../channels/push-fixture.ts";
import { startProviders, type Providers } from "./providers.ts";
import type { Weather } from "./weather.ts";

const TIMEOUT_MS = 2_000;
const NUMBER = "+46701234567";
const LATE: Weather = { kind: "slow", delayMs: 2 * TIMEOUT_MS };

let shown: string[];
let providers: Providers;

beforeEach(async () => {
  shown = [];
  providers = await startProviders({
    pushServices: 2,
    onPush: ({ endpoint }) => shown.push(endpoint),
  });
});
afterEach(async () => await providers.close());

async function push(endpoints: readonly ReturnType<Providers["subscribe"]>[]) {
  const channel = openPushChannel(providers.pushOrigins, { timeoutMs: TIMEOUT_MS });
  const payload = JSON.stringify({ notification_id: "note-1", title: "A title", body: "A body" });
  const outcomes = await Promise.all(
    endpoints.map(async (endpoint) => await channel.send(endpoint, pushMessage({ payload }))),
  );
  await channel.close();
  return outcomes;
}

async function text(phoneNumber = NUMBER) {
  const { url: apiUrl, accountSid, authToken } = providers.twilio;
  const settings = {
    accountSid,
    authToken,
    apiUrl,
    sender: { from: "+15005550001" },
    timeoutMs: TIMEOUT_MS,
  };
  const channel = createTwilioSmsChannel({ settings, clock: createSystemClock() });
  return await channel.send({ phoneNumber }, { noteId: "note-1", text: "About k-7-12." });
}

describe("a push", () => {
  it.each<[Weather, string, number | undefined, boolean]>([
    [{ kind: "fine" }, "delivered", 201, true],
    [{ kind: "busy", retryAfterSeconds: 60, as: "seconds" }, "retry", 429, false],
    [{ kind: "busy", retryAfterSeconds: 60, as: "date" }, "retry", 429, false],
    [{ kind: "failing" }, "retry", 500, false],
    [{ kind: "hanging" }, "retry", undefined, false],
    [{ kind: "resetting" }, "retry", undefined, false],
    [{ kind: "losing" }, "retry", undefined, true],
    [{ kind: "cutting" }, "delivered", undefined, true],
    [{ kind: "slow", delayMs: 50 }, "delivered", 201, true],
    [LATE, "retry", undefined, true],
  ])("in weather %j is %s", async (weather, kind, status, isShown) => {
    const browser = providers.subscribe(VAPID.publicKey);
    providers.pushWeather(weather);
    const [outcome] = await push([browser]);
    expect(outcome).toMatchObject({ kind });
    if (weather.kind === "busy") {
      // A date is told in whole seconds, and the answer takes a moment.
      const { afterMs = 0 } = outcome?.kind === "retry" ? outcome : {};
      expect(afterMs).toBeGreaterThan(0);
      expect(afterMs).toBeLessThanOrEqual(weather.retryAfterSeconds * 1_000);
    }
    await expect
      .poll(() => providers.pushes(() => false))
      .toMatchObject([
        { endpoint: browser.endpoint, notificationId: "note-1", status, receipted: false },
      ]);
    expect(shown).toEqual(isShown ? [browser.endpoint] : []);
    expect(providers.refusals()).toEqual([]);
  });

  it("meets the weather of its own service, and it can change", async () => {
    const browsers = [VAPID.publicKey, VAPID.publicKey].map((key) => providers.subscribe(key));
    const [first, second] = browsers;
    expect(new URL(first?.endpoint ?? "").origin).not.toBe(new URL(second?.endpoint ?? "").origin);
    providers.pushWeather({ kind: "failing" }, providers.pushOrigins[0]);
    expect(await push(browsers)).toMatchObject([{ kind: "retry" }, { kind: "delivered" }]);
    providers.pushWeather({ kind: "fine" });
    expect(await push(browsers)).toMatchObject([{ kind: "delivered" }, { kind: "delivered" }]);
  });

  it("to a browser that is no more is told so, in any weather", async () => {
    const browser = providers.subscribe(VAPID.publicKey);
    providers.forget(browser.endpoint, 410);
    providers.pushWeather({ kind: "hanging" });
    expect(await push([browser])).toEqual([{ kind: "gone" }]);
  });
});

describe("a text message", () => {
  it.each<[Weather, string, boolean | undefined]>([
    [{ kind: "fine" }, "delivered", true],
    [{ kind: "busy", retryAfterSeconds: 60, as: "seconds" }, "retry", undefined],
    [{ kind: "failing" }, "unknown", undefined],
    [{ kind: "hanging" }, "unknown", false],
    [{ kind: "resetting" }, "unknown", undefined],
    [{ kind: "losing" }, "unknown", false],
    [{ kind: "cutting" }, "delivered", false],
    [{ kind: "slow", delayMs: 50 }, "delivered", true],
    [LATE, "unknown", false],
  ])("in weather %j is %s", async (weather, kind, answered) => {
    providers.smsWeather(weather);
    expect(await text()).toMatchObject({ kind });
    // Undefined: it was not taken.
    const taken = answered === undefined ? [] : [{ to: NUMBER, key: "k-7-12", answered }];
    await expect.poll(() => providers.texts()).toMatchObject(taken);
    expect(providers.texts()).toHaveLength(taken.length);
  });

  it("that is wrong by itself is told apart from bad weather", async () => {
    providers.smsWeather({ kind: "busy", retryAfterSeconds: 60, as: "seconds" });
    await text();
    expect(providers.refusals()).toEqual([]);
    await text("+12");
    expect(providers.refusals()).toEqual(["Twilio's error 21211"]);
  });
});
