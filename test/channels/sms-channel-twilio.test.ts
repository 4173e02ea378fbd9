/** SMS through Twilio's SDK against a Twilio of our own: when to try again, and when never to. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SmsAddress, SmsMessage } from "../../src/channels/channel.ts";
import { createTwilioSmsChannel } from "../../src/channels/sms/sms-channel-twilio.ts";
import type { SmsSender } from "../../src/channels/sms/settings.ts";
import { createSystemClock, type Clock } from "../../src/platform/clock.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { startTwilio, type TwilioReply, type TwilioService } from "../support/twilio.ts";

const TIMEOUT_MS = 10_000;
const ADDRESS: SmsAddress = { phoneNumber: "+15005550006" };
const MESSAGE: SmsMessage = { noteId: "note", text: "Möte i morgon 🏫 & <frågor>?" };

function openTwilioChannel(
  service: Pick<TwilioService, "url" | "accountSid" | "authToken">,
  overrides: { clock?: Clock; sender?: SmsSender; authToken?: string; timeoutMs?: number } = {},
): ReturnType<typeof createTwilioSmsChannel> {
  return createTwilioSmsChannel({
    settings: {
      accountSid: service.accountSid,
      authToken: overrides.authToken ?? service.authToken,
      apiUrl: service.url,
      sender: overrides.sender ?? { from: "+15005550001" },
      timeoutMs: overrides.timeoutMs ?? TIMEOUT_MS,
    },
    clock: overrides.clock ?? createSystemClock(),
  });
}

let twilio: TwilioService;
let channel: ReturnType<typeof createTwilioSmsChannel>;
let lastNumber = 15_005_551_000;

/** A number whose messages get this reply. */
function numberWith(reply: TwilioReply): SmsAddress {
  lastNumber += 1;
  const phoneNumber = `+${lastNumber}`;
  twilio.script(phoneNumber, reply);
  return { phoneNumber };
}

beforeAll(async () => {
  twilio = await startTwilio();
  channel = openTwilioChannel(twilio);
});
afterAll(async () => {
  await channel.close();
  await twilio.close();
});

describe("an SMS", () => {
  it("is handed over with its sender and text, and is known by Twilio's id", async () => {
    const outcome = await channel.send(ADDRESS, MESSAGE);
    const taken = await twilio.next();
    expect(taken).toMatchObject({
      to: ADDRESS.phoneNumber,
      from: "+15005550001",
      messagingServiceSid: undefined,
      body: MESSAGE.text,
      validityPeriod: undefined,
    });
    expect(outcome).toEqual({ kind: "delivered", providerId: taken.sid });
  });

  it("can go through a messaging service", async () => {
    const viaService = openTwilioChannel(twilio, { sender: { messagingServiceSid: "MG1" } });
    await viaService.send(ADDRESS, MESSAGE);
    expect(await twilio.next()).toMatchObject({ from: undefined, messagingServiceSid: "MG1" });
    await viaService.close();
  });

  it.each([
    [600, 600],
    [0, 1],
    [90.7, 90],
    [86_400, 36_000],
  ])("valid for %d s is asked to be tried for %d s", async (validitySeconds, asked) => {
    await channel.send(ADDRESS, { ...MESSAGE, validitySeconds });
    expect((await twilio.next()).validityPeriod).toBe(asked);
  });

  it("can be sent through a proxy with a path of its own", async () => {
    const proxied = openTwilioChannel({ ...twilio, url: `${twilio.url}/elsewhere/` });
    // The service knows no such path, which shows that it was asked for it.
    expect(await proxied.send(ADDRESS, MESSAGE)).toMatchObject({
      detail: "http 404, twilio 20404",
    });
    await proxied.close();
  });
});

describe("what Twilio answers", () => {
  it.each<[status: number, code: number, kind: string]>([
    [400, 21_211, "rejected"],
    [400, 21_614, "rejected"],
    [400, 21_635, "rejected"],
    [400, 21_610, "opted_out"],
    [400, 21_408, "rejected"],
    [401, 20_003, "retry"],
    [403, 20_005, "retry"],
    [403, 21_408, "rejected"],
    [404, 20_404, "rejected"],
    [429, 20_429, "retry"],
    [400, 20_429, "retry"],
    [408, 20_408, "unknown"],
    [500, 20_500, "unknown"],
    [503, 20_503, "unknown"],
    [302, 0, "unknown"],
  ])("%i with code %i is %s, after one request", async (status, code, kind) => {
    const asked = twilio.refusals.length;
    const outcome = await channel.send(numberWith({ status, code }), MESSAGE);
    expect(outcome.kind).toBe(kind);
    expect(twilio.refusals).toHaveLength(asked + 1);
  });

  it("waits as long as Twilio asks when there are too many requests", async () => {
    const busy = numberWith({ status: 429, code: 20_429, headers: { "retry-after": "3" } });
    expect(await channel.send(busy, MESSAGE)).toEqual({
      kind: "retry",
      afterMs: 3_000,
      throttled: true,
      detail: "http 429, twilio 20429",
    });
  });

  it("refuses wrong credentials without hiding it", async () => {
    const stranger = openTwilioChannel(twilio, { authToken: "wrong" });
    expect(await stranger.send(ADDRESS, MESSAGE)).toEqual({
      kind: "retry",
      detail: "http 401, twilio 20003",
    });
    await stranger.close();
  });

  it("is believed when it says 201 and the rest is lost", async () => {
    expect(await channel.send(numberWith({ cutBody: true }), MESSAGE)).toEqual({
      kind: "delivered",
    });
  });

  it("is believed when it says 201 and the rest never comes", async () => {
    const impatient = openTwilioChannel(twilio, { timeoutMs: 2_000 });
    expect(await impatient.send(numberWith({ stallBody: true }), MESSAGE)).toEqual({
      kind: "delivered",
    });
    await impatient.close();
  });
});

describe("looking for an SMS that may have been taken", () => {
  const minute = (): { from: number; until: number } => {
    const now = Date.now();
    return { from: now - 60_000, until: now + 60_000 };
  };

  it.each<[string, SmsSender, SmsSender]>([
    ["another number", { from: "+15005550001" }, { from: "+15005550002" }],
    ["a messaging service", { from: "+15005550001" }, { messagingServiceSid: "MG1" }],
    ["another service", { messagingServiceSid: "MG1" }, { messagingServiceSid: "MG2" }],
  ])("finds none that went out by %s of the account", async (_what, own, other) => {
    const [ours, theirs] = [own, other].map((sender) => openTwilioChannel(twilio, { sender }));
    const { phoneNumber } = numberWith({});
    await theirs?.send({ phoneNumber }, MESSAGE);
    expect(await ours?.find({ phoneNumber, ...minute() })).toEqual([]);
    await ours?.send({ phoneNumber }, MESSAGE);
    const found = await ours?.find({ phoneNumber, ...minute() });
    expect(found).toMatchObject([
      { messageId: twilio.received.at(-1)?.sid, text: MESSAGE.text, report: { status: "queued" } },
    ]);
    await ours?.close();
    await theirs?.close();
  });

  it("finds none to another phone, and none of another time", async () => {
    const { phoneNumber } = numberWith({});
    await channel.send({ phoneNumber }, MESSAGE);
    const { from, until } = minute();
    expect(await channel.find({ phoneNumber, from, until })).toHaveLength(1);
    expect(await channel.find({ ...numberWith({}), from, until })).toEqual([]);
    expect(await channel.find({ phoneNumber, from: from - 60_000, until: from })).toEqual([]);
    expect(await channel.find({ phoneNumber, from: until, until: until + 60_000 })).toEqual([]);
  });
});

describe("what the network does", () => {
  it("a connection lost after the request leaves it unknown, and nothing is sent again", async () => {
    const address = numberWith({ acceptThenReset: true, times: 1 });
    const taken = twilio.received.length;
    expect(await channel.send(address, MESSAGE)).toMatchObject({ kind: "unknown" });
    expect(twilio.received).toHaveLength(taken + 1);
  });

  it("a connection reset before an answer leaves it unknown", async () => {
    expect(await channel.send(numberWith({ reset: true }), MESSAGE)).toMatchObject({
      kind: "unknown",
    });
  });

  it("silence until the deadline leaves it unknown", async () => {
    const clock = createManualClock(Date.now());
    const silent = await startTwilio();
    silent.script(ADDRESS.phoneNumber, { hang: true });
    const patient = openTwilioChannel(silent, { clock });
    const sending = patient.send(ADDRESS, MESSAGE);
    await silent.next();
    clock.advance(TIMEOUT_MS);
    expect(await sending).toEqual({ kind: "unknown", detail: "network timeout" });
    await silent.close();
    await patient.close();
  });

  it("no connection at all means that trying again is safe", async () => {
    const down = await startTwilio();
    await down.close();
    const sender = openTwilioChannel(down);
    expect(await sender.send(ADDRESS, MESSAGE)).toEqual({
      kind: "retry",
      detail: "network ECONNREFUSED",
    });
    await sender.close();
  });

  it("a server that does not speak TLS was never sent anything", async () => {
    const taken = twilio.received.length;
    const sender = openTwilioChannel({ ...twilio, url: twilio.url.replace("http:", "https:") });
    expect(await sender.send(ADDRESS, MESSAGE)).toMatchObject({ kind: "retry" });
    expect(twilio.received).toHaveLength(taken);
    await sender.close();
  });
});
