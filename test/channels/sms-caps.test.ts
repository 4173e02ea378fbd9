/** How many SMS a person and a number get in a day: what is counted, when, and what is given back. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSmsCaps, type CapSubject, type SmsCaps } from "../../src/channels/sms/caps.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const PER_USER = 3;
const PER_NUMBER = 5;
const LATE = Date.UTC(2026, 10, 22, 23, 59, 59, 999);
const OLDER = Buffer.alloc(32, 3);
const NEWER = Buffer.alloc(32, 4);

let store: TestRedis;
let clock: ManualClock;
let caps: SmsCaps;
let notes = 0;

function openCaps(...encryptionKeys: readonly Buffer[]): SmsCaps {
  const { redis, keyspace } = store;
  const sealing = createSealing(...encryptionKeys);
  return createSmsCaps({
    redis,
    keyspace,
    sealing,
    clock,
    perUser: PER_USER,
    perNumber: PER_NUMBER,
  });
}

beforeEach(async () => {
  store = await openTestRedis();
  clock = createManualClock(LATE);
  caps = openCaps(OLDER);
});
afterEach(() => store.close());

function subject(given: Partial<CapSubject> = {}): CapSubject {
  notes += 1;
  return {
    noteId: `note-${notes}`,
    userId: "teacher-1",
    phoneNumber: "+46701234567",
    isCritical: false,
    ...given,
  };
}

/** How many of so many go through. */
async function through(count: number, given: Partial<CapSubject> = {}): Promise<number> {
  const places = [];
  for (let index = 0; index < count; index += 1) places.push(await caps.take(subject(given)));
  return places.filter((place) => place !== undefined).length;
}

describe("a person's cap", () => {
  it("holds back what is over it, for that person only, whichever number it goes to", async () => {
    expect(await through(2)).toBe(2);
    expect(await through(5, { phoneNumber: "+46701234568" })).toBe(1);
    expect(await through(1, { userId: "teacher-2" })).toBe(1);
  });

  it("holds back nothing critical, which counts all the same", async () => {
    expect(await through(PER_USER + 1, { isCritical: true })).toBe(PER_USER + 1);
    expect(await through(1)).toBe(0);
    expect(await through(1, { isCritical: true })).toBe(1);
  });

  it("begins anew with the day", async () => {
    expect(await through(PER_USER + 1)).toBe(PER_USER);
    clock.advance(1);
    expect(await through(PER_USER + 1, { phoneNumber: "+46701234568" })).toBe(PER_USER);
  });
});

describe("a number's cap", () => {
  it("holds back everything over it, critical or not, whoever it is for", async () => {
    expect(await through(3, { isCritical: true })).toBe(3);
    expect(await through(3, { userId: "teacher-2" })).toBe(2);
    expect(await through(1, { userId: "teacher-3", isCritical: true })).toBe(0);
    expect(await through(1, { userId: "teacher-3", phoneNumber: "+46701234568" })).toBe(1);
  });

  it("begins anew with the day", async () => {
    expect(await through(PER_NUMBER + 1, { isCritical: true })).toBe(PER_NUMBER);
    clock.advance(1);
    expect(await through(1, { isCritical: true })).toBe(1);
  });

  it("does not count against a person what it held back", async () => {
    await through(PER_NUMBER, { userId: "teacher-2", isCritical: true });
    expect(await through(PER_USER)).toBe(0);
    expect(await through(PER_USER, { phoneNumber: "+46701234568" })).toBe(PER_USER);
  });

  it("holds for processes with the older encryption key and the newer together", async () => {
    expect(await through(3, { isCritical: true })).toBe(3);
    caps = openCaps(NEWER, OLDER);
    expect(await through(3, { isCritical: true })).toBe(2);
  });

  it("is kept without the number", async () => {
    await through(1);
    const keys = await store.redis.keys(`${store.prefix}*`);
    expect(keys.length).toBe(2);
    expect(keys.join()).not.toContain("701234567");
    for (const key of keys) expect(await store.redis.ttl(key)).toBeGreaterThan(86_400);
  });
});

describe("a note", () => {
  it("counts once, however often it is tried", async () => {
    const one = subject();
    for (let tries = 0; tries < 10; tries += 1) expect(await caps.take(one)).toBeDefined();
    expect(await through(PER_USER)).toBe(PER_USER - 1);
    // It has its place, also where no other has any left.
    expect(await caps.take(one)).toBeDefined();
  });

  it("that was surely not sent leaves its place to another", async () => {
    await through(PER_USER - 1);
    const place = await caps.take(subject());
    expect(await through(1)).toBe(0);
    await place?.giveBack();
    expect(await through(2)).toBe(1);
  });

  it("that is given back after midnight is given back to its own day", async () => {
    const place = await caps.take(subject());
    clock.advance(1);
    expect(await through(PER_USER - 1)).toBe(PER_USER - 1);
    await place?.giveBack();
    expect(await through(2)).toBe(1);
  });

  it("of many at once: no more go through than may", async () => {
    const places = await Promise.all(Array.from({ length: 20 }, () => caps.take(subject())));
    expect(places.filter((place) => place !== undefined)).toHaveLength(PER_USER);
  });
});
