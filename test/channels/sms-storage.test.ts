/** Phone numbers: which are possible, who opted out, and what development shows instead of sending. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOptOuts } from "../../src/channels/sms/opt-outs.ts";
import { createSmsOutbox, type OutboxMessage } from "../../src/channels/sms/outbox.ts";
import { toE164 } from "../../src/channels/sms/phone-number.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const NUMBER = "+46701234567";
const sealing = createSealing(Buffer.alloc(32, 2));

let test: TestRedis;

beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(async () => {
  await test.close();
});

function message(index: number): OutboxMessage {
  return { noteId: `note-${index}`, phoneNumber: NUMBER, text: `Message ${index}`, at: index };
}

describe("phone numbers", () => {
  it.each([
    ["+46701234567", "+46701234567"],
    ["+46 70-123 45 67", "+46701234567"],
    ["+12025550123", "+12025550123"],
    ["+120255501", undefined],
    ["+4670123456789012", undefined],
    ["+999123456789", undefined],
    ["0701234567", undefined],
    ["not a number", undefined],
    ["whatsapp:+46701234567", undefined],
    // As people write them: a zero for calls within the country, and the 1 that Mexico gave up.
    ["+460701234567", "+46701234567"],
    ["+5215512345678", "+525512345678"],
    ["+525512345678", "+525512345678"],
    ["call +46701234567 now", undefined],
    ["", undefined],
  ])("%s is %s", (text, expected) => {
    expect(toE164(text)).toBe(expected);
  });
});

describe("opt-outs", () => {
  it("count at once, for that number only, until taken back", async () => {
    const { redis, keyspace } = test;
    const optOuts = createOptOuts({ redis, keyspace, sealing, clock: { now: () => 5 } });
    expect(await optOuts.isOptedOut(NUMBER)).toBe(false);
    await optOuts.optOut(NUMBER);
    expect(await optOuts.isOptedOut(NUMBER)).toBe(true);
    expect(await optOuts.isOptedOut("+46701234568")).toBe(false);
    await optOuts.optIn(NUMBER);
    expect(await optOuts.isOptedOut(NUMBER)).toBe(false);
  });

  it("outlive a change of the encryption key, and can still be taken back", async () => {
    const { redis, keyspace } = test;
    const clock = { now: () => 5 };
    const [older, newer] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)];
    const before = createOptOuts({ redis, keyspace, sealing: createSealing(older), clock });
    await before.optOut(NUMBER);
    const changed = createSealing(newer, older);
    const after = createOptOuts({ redis, keyspace, sealing: changed, clock });
    expect(await after.isOptedOut(NUMBER)).toBe(true);
    await after.optIn(NUMBER);
    expect(await after.isOptedOut(NUMBER)).toBe(false);
  });

  it("are kept without the number", async () => {
    const { redis, keyspace } = test;
    const optOuts = createOptOuts({ redis, keyspace, sealing, clock: { now: () => 5 } });
    await optOuts.optOut(NUMBER);
    const keys = await redis.keys(`${test.prefix}optout:*`);
    expect(keys).toHaveLength(1);
    expect(keys.join()).not.toContain(NUMBER.slice(3));
  });
});

describe("the outbox", () => {
  it("shows the last fifty, newest first, and keeps them sealed", async () => {
    const { redis, keyspace } = test;
    const outbox = createSmsOutbox({ redis, keyspace, sealing });
    expect(await outbox.list()).toEqual([]);
    for (let index = 1; index <= 53; index += 1) await outbox.add(message(index));
    const shown = await outbox.list();
    expect(shown).toHaveLength(50);
    expect(shown[0]).toEqual(message(53));
    expect(shown.at(-1)).toEqual(message(4));
    const stored = (await redis.lrange(keyspace.plain("sms-outbox"), 0, -1)).join();
    expect(stored).not.toContain("Message");
    expect(stored).not.toContain(NUMBER);
  });
});
