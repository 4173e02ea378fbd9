/** What every channel promises, whichever provider is behind it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/channels/channel.ts";
import { createScriptedChannel } from "../../src/channels/scripted/scripted-channel.ts";
import { createSmsOutbox } from "../../src/channels/sms/outbox.ts";
import { createOutboxSmsChannel } from "../../src/channels/sms/sms-channel-outbox.ts";
import { createTwilioSmsChannel } from "../../src/channels/sms/sms-channel-twilio.ts";
import { createWebhookSmsChannel } from "../../src/channels/sms/sms-channel-webhook.ts";
import { createSystemClock } from "../../src/platform/clock.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { startPushService } from "../support/push-service.ts";
import { openTestRedis } from "../support/redis.ts";
import { startSmsGateway } from "../support/sms-gateway.ts";
import { startTwilio } from "../support/twilio.ts";
import { openPushChannel, pushMessage, VAPID } from "./push-fixture.ts";

interface Subject {
  /** Sends to an address whose provider is well. */
  send(text: string): Promise<Outcome>;
  /** Texts the provider took, in any order. */
  taken(): Promise<readonly string[]>;
  /** What no outcome may repeat, as outcomes are logged. */
  readonly personal: readonly string[];
  close: () => Promise<void>;
}

/** Where there is a provider that can have too much to do. */
interface ProviderSubject extends Subject {
  /** Sends to an address whose provider fails with its own kind of "try later". */
  sendWhileBusy(text: string): Promise<Outcome>;
  /** How many requests the provider has seen. */
  requests(): number;
}

const NUMBER = "+15005550006";
const BUSY_NUMBER = "+15005550007";
const clock = createSystemClock();

async function openPush(): Promise<ProviderSubject> {
  const service = await startPushService();
  const channel = openPushChannel([service.origin]);
  const browser = service.subscribe(VAPID.publicKey);
  const busy = service.subscribe(VAPID.publicKey);
  service.script(busy.endpoint, { status: 503 });
  return {
    send: async (text) => await channel.send(browser, pushMessage({ payload: text })),
    sendWhileBusy: async (text) => await channel.send(busy, pushMessage({ payload: text })),
    taken: async () => await Promise.resolve(service.received.map(({ payload }) => payload)),
    requests: () => service.received.length,
    personal: [browser.endpoint, busy.endpoint, browser.keys.auth],
    async close() {
      await channel.close();
      await service.close();
    },
  };
}

async function openTwilio(): Promise<ProviderSubject> {
  const service = await startTwilio();
  service.script(BUSY_NUMBER, { status: 429, code: 20_429, message: `${BUSY_NUMBER} is busy` });
  const channel = createTwilioSmsChannel({
    settings: {
      accountSid: service.accountSid,
      authToken: service.authToken,
      apiUrl: service.url,
      sender: { from: "+15005550001" },
      timeoutMs: 10_000,
    },
    clock,
  });
  const sendTo = async (phoneNumber: string, text: string): Promise<Outcome> =>
    await channel.send({ phoneNumber }, { noteId: "note", text });
  return {
    send: async (text) => await sendTo(NUMBER, text),
    sendWhileBusy: async (text) => await sendTo(BUSY_NUMBER, text),
    taken: async () => await Promise.resolve(service.received.map(({ body }) => body)),
    requests: () => service.received.length + service.refusals.length,
    personal: [NUMBER, BUSY_NUMBER, service.authToken],
    async close() {
      await channel.close();
      await service.close();
    },
  };
}

async function openGateway(): Promise<ProviderSubject> {
  const secret = "a-secret-that-both-sides-have-0123456789";
  const service = await startSmsGateway(secret);
  service.script(BUSY_NUMBER, { status: 429, error: BUSY_NUMBER });
  const channel = createWebhookSmsChannel({
    settings: { url: service.url, secrets: [secret], timeoutMs: 10_000 },
    clock,
  });
  let notes = 0;
  const sendTo = async (phoneNumber: string, text: string): Promise<Outcome> => {
    notes += 1;
    return await channel.send({ phoneNumber }, { noteId: `note-${notes}`, text });
  };
  return {
    send: async (text) => await sendTo(NUMBER, text),
    sendWhileBusy: async (text) => await sendTo(BUSY_NUMBER, text),
    taken: async () => await Promise.resolve(service.received.map(({ text }) => text)),
    requests: () => service.requests,
    personal: [NUMBER, BUSY_NUMBER, secret],
    async close() {
      await channel.close();
      await service.close();
    },
  };
}

async function openOutbox(): Promise<Subject> {
  const test = await openTestRedis();
  const { redis, keyspace } = test;
  const outbox = createSmsOutbox({ redis, keyspace, sealing: createSealing(undefined) });
  const channel = createOutboxSmsChannel({ outbox, clock });
  return {
    send: async (text) => await channel.send({ phoneNumber: NUMBER }, { noteId: "note", text }),
    taken: async () => (await outbox.list()).map(({ text }) => text),
    personal: [NUMBER],
    close: async () => await test.close(),
  };
}

async function openScripted(): Promise<ProviderSubject> {
  const texts: string[] = [];
  let requests = 0;
  const channel = createScriptedChannel<{ busy: boolean }, string>(({ busy }, text) => {
    requests += 1;
    if (busy) return { kind: "retry", detail: "scripted" };
    texts.push(text);
    return { kind: "delivered" };
  });
  return await Promise.resolve({
    send: async (text) => await channel.send({ busy: false }, text),
    sendWhileBusy: async (text) => await channel.send({ busy: true }, text),
    taken: async () => await Promise.resolve(texts),
    requests: () => requests,
    personal: [],
    close: async () => await Promise.resolve(),
  });
}

describe.each([
  ["push", openPush],
  ["Twilio", openTwilio],
  ["webhook", openGateway],
  ["outbox", openOutbox],
  ["scripted", openScripted],
])("the %s channel", (_name, open) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(async () => {
    await subject.close();
  });

  it("hands one message over once and says delivered", async () => {
    const outcome = await subject.send("Välkommen 🎒");
    expect(outcome.kind).toBe("delivered");
    expect((await subject.taken()).filter((text) => text === "Välkommen 🎒")).toHaveLength(1);
  });

  it("keeps messages sent at the same time apart", async () => {
    const texts = Array.from({ length: 20 }, (_item, index) => `at once ${index}`);
    const outcomes = await Promise.all(texts.map(async (text) => await subject.send(text)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(texts.map(() => "delivered"));
    expect((await subject.taken()).filter((text) => text.startsWith("at once")).sort()).toEqual(
      texts.toSorted(),
    );
  });

  it("repeats nothing personal in an outcome", async () => {
    const said = JSON.stringify(await subject.send("A secret"));
    for (const text of ["A secret", ...subject.personal]) expect(said).not.toContain(text);
  });
});

describe.each([
  ["push", openPush],
  ["Twilio", openTwilio],
  ["webhook", openGateway],
  ["scripted", openScripted],
])("the %s channel, while its provider is busy,", (_name, open) => {
  let subject: ProviderSubject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(async () => {
    await subject.close();
  });

  it("asks once and leaves trying again to others", async () => {
    const before = subject.requests();
    const outcome = await subject.sendWhileBusy("later");
    expect(outcome.kind).toBe("retry");
    expect(subject.requests()).toBe(before + 1);
  });

  it("repeats nothing personal in what it says", async () => {
    const said = JSON.stringify(await subject.sendWhileBusy("A secret"));
    for (const text of ["A secret", ...subject.personal]) expect(said).not.toContain(text);
  });
});
