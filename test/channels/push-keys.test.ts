/** Several VAPID keys side by side, one signature for many messages, and keys that are refused. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createVapidFaults, type VapidFaults } from "../../src/channels/push/vapid-faults.ts";
import { createVapidKeys, vapidKeyId } from "../../src/channels/push/vapid-keys.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openPushChannel, pushMessage, VAPID } from "./push-fixture.ts";

const HOUR_MS = 3_600_000;
const OLDEST = makeVapidPair();
const PREVIOUS = makeVapidPair();
const KEYS = createVapidKeys(VAPID, [PREVIOUS, OLDEST]);

let clock: ManualClock;
let service: PushService;
let channel: ReturnType<typeof openPushChannel>;
let faults: VapidFaults;
/** Lines of errors, and what was counted. */
let lines: Record<string, unknown>[];
let counted: string[];
let changes: number;

beforeAll(async () => {
  service = await startPushService({ now: () => clock.now() });
});
afterAll(() => service.close());
beforeEach(() => {
  clock = createManualClock();
  lines = [];
  counted = [];
  changes = 0;
  faults = createVapidFaults({
    clock,
    logger: { error: (line: object) => void lines.push({ ...line }), info: () => {} },
    onRefused: (origin) => counted.push(origin),
    onChange: () => {
      changes += 1;
    },
  });
  channel = openPushChannel([service.origin], { clock, keys: KEYS, faults });
});
afterEach(() => channel.close());

async function push(browser: { publicKey: string; keyId?: string | undefined }): Promise<string> {
  const { keyId } = browser;
  const subscription = service.subscribe(browser.publicKey);
  return (await channel.send({ ...subscription, keyId }, pushMessage())).kind;
}

/** The token of the last message. */
const lastToken = (): string | undefined => service.received.at(-1)?.vapid?.token;

describe("a push is signed with the key that its subscription was made with", () => {
  it.each([
    ["the current one", VAPID.publicKey],
    ["one before it", PREVIOUS.publicKey],
    ["the oldest", OLDEST.publicKey],
  ])("%s", async (_what, publicKey) => {
    expect(await push({ publicKey, keyId: vapidKeyId(publicKey) })).toBe("delivered");
    expect(service.received.at(-1)?.vapid?.key).toBe(publicKey);
  });

  it("the oldest, for what was stored before keys had names", async () => {
    expect(await push({ publicKey: OLDEST.publicKey })).toBe("delivered");
  });

  it("and with no other: a key that is configured no more is not asked for in vain", async () => {
    const arrived = service.received.length + service.refusals.length;
    const retired = makeVapidPair();
    const keyId = vapidKeyId(retired.publicKey);
    expect(await push({ publicKey: retired.publicKey, keyId })).toBe("rejected");
    expect(service.received.length + service.refusals.length).toBe(arrived);
    expect(lines).toMatchObject([{ detail: "vapid key not configured", messages: 1 }]);
    // Keys are retired on purpose.
    expect(faults.stand()).toBe(false);
  });
});

describe("a signature", () => {
  const current = { publicKey: VAPID.publicKey, keyId: KEYS.current.id };

  it("serves all messages to a push service, and no other key", async () => {
    await push(current);
    const token = lastToken();
    await push(current);
    expect(lastToken()).toBe(token);
    await push({ publicKey: PREVIOUS.publicKey, keyId: vapidKeyId(PREVIOUS.publicKey) });
    expect(lastToken()).not.toBe(token);
  });

  it("is another for another push service", async () => {
    const other = await startPushService({ now: () => clock.now() });
    const both = openPushChannel([service.origin, other.origin], { clock, keys: KEYS });
    for (const one of [service, other]) {
      const outcome = await both.send(one.subscribe(VAPID.publicKey), {
        ...pushMessage(),
      });
      // Without a key id the oldest signs, which this browser did not subscribe with.
      expect(outcome.kind).toBe("rejected");
      const browser = { ...one.subscribe(VAPID.publicKey), keyId: KEYS.current.id };
      expect((await both.send(browser, pushMessage())).kind).toBe("delivered");
    }
    expect(other.received.at(-1)?.vapid?.aud).toBe(other.origin);
    await both.close();
    await other.close();
  });

  it("is renewed long before it ends, and never promises more than half a day", async () => {
    const tokens = new Set<string | undefined>();
    for (let hour = 0; hour < 48; hour += 1) {
      expect(await push(current)).toBe("delivered");
      tokens.add(lastToken());
      const leftMs = (service.received.at(-1)?.vapid?.exp ?? 0) * 1_000 - clock.now();
      expect(leftMs).toBeGreaterThan(6 * HOUR_MS);
      expect(leftMs).toBeLessThanOrEqual(12 * HOUR_MS);
      clock.advance(HOUR_MS);
    }
    expect(tokens.size).toBe(8);
  });

  it.each([401, 403])("that is answered with %i is not used again", async (status) => {
    const browser = { ...service.subscribe(VAPID.publicKey), keyId: KEYS.current.id };
    service.script(browser.endpoint, { status, times: 1 });
    expect((await channel.send(browser, pushMessage())).kind).toBe("rejected");
    const refused = lastToken();
    expect((await channel.send(browser, pushMessage())).kind).toBe("delivered");
    expect(lastToken()).not.toBe(refused);
  });

  it("needs no connection of its own: messages that follow one another share theirs", async () => {
    const before = service.connections();
    const browser = { ...service.subscribe(VAPID.publicKey), keyId: KEYS.current.id };
    for (let count = 0; count < 100; count += 1) await channel.send(browser, pushMessage());
    // The rest of an answer may still be under way when the next message goes out.
    expect(service.connections() - before).toBeLessThanOrEqual(2);
  });
});

describe("keys that a push service refuses", () => {
  const refusing = () => {
    const browser = { ...service.subscribe(VAPID.publicKey), keyId: KEYS.current.id };
    service.script(browser.endpoint, { status: 403 });
    return browser;
  };

  it("are told of once a minute, and counted each time, without the endpoint", async () => {
    const browser = refusing();
    for (let count = 0; count < 5; count += 1) await channel.send(browser, pushMessage());
    expect(lines).toHaveLength(1);
    expect(counted).toEqual(Array.from({ length: 5 }, () => service.origin));
    clock.advance(60_000);
    await channel.send(browser, pushMessage());
    expect(lines).toHaveLength(2);
    expect(lines[1]).toEqual({
      event: "push.keys_refused",
      origin: service.origin,
      key_id: KEYS.current.id,
      detail: "http 403",
      messages: 5,
    });
    expect(JSON.stringify(lines)).not.toContain(browser.endpoint);
  });

  it("are a fault until a message is taken there that is signed with the same key", async () => {
    expect(faults.stand()).toBe(false);
    await channel.send(refusing(), pushMessage());
    expect(faults.stand()).toBe(true);
    await push({ publicKey: PREVIOUS.publicKey, keyId: vapidKeyId(PREVIOUS.publicKey) });
    expect(faults.stand()).toBe(true);
    await push({ publicKey: VAPID.publicKey, keyId: KEYS.current.id });
    expect(faults.stand()).toBe(false);
    expect(changes).toBe(2);
  });

  it("are no news any more when nobody has been pushed to there for a day", async () => {
    await channel.send(refusing(), pushMessage());
    clock.advance(25 * HOUR_MS);
    expect(faults.stand()).toBe(false);
  });
});
