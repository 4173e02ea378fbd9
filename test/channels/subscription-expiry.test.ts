/** Browsers that nobody opens for weeks: their person is told once, then they are given up. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createSubscriptionExpiry,
  type DeviceWarning,
  type SubscriptionExpiry,
} from "../../src/channels/push/subscription-expiry.ts";
import {
  createSubscriptionRecords,
  subscriptionIdOf,
  type SubscriptionRecords,
} from "../../src/channels/push/subscription-records.ts";
import { createSubscriptionStore } from "../../src/channels/push/subscriptions.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const DAY_MS = 86_400_000;
const LIFE = { staleMs: 60 * DAY_MS, warningMs: 14 * DAY_MS };
const KEYS = { p256dh: "public-key-of-a-browser", auth: "secret-of-a-browser" };
const sealing = createSealing(Buffer.alloc(32, 1));

let test: TestRedis;
let clock: ManualClock;
let warnings: DeviceWarning[];

beforeEach(async () => {
  test = await openTestRedis();
  clock = createManualClock();
  warnings = [];
});
afterEach(async () => {
  await test.close();
});

const browser = (name: string) => ({ endpoint: `https://push.example.org/${name}`, keys: KEYS });

function openStore(): ReturnType<typeof createSubscriptionStore> {
  const { redis, keyspace } = test;
  return createSubscriptionStore({ redis, keyspace, sealing, clock, life: LIFE });
}

function openRecords(): SubscriptionRecords {
  const { redis, keyspace } = test;
  return createSubscriptionRecords({ redis, keyspace, sealing });
}

function openExpiry(
  warn: (warning: DeviceWarning) => Promise<void> = async (warning) => {
    warnings.push(warning);
    await Promise.resolve();
  },
  records = openRecords(),
): SubscriptionExpiry {
  return createSubscriptionExpiry({
    records,
    keyspace: test.keyspace,
    clock,
    logger: createSilentLogger(),
    life: LIFE,
    warn,
  });
}

async function indexed(): Promise<number> {
  const { redis, keyspace } = test;
  const counts = await Promise.all(
    Array.from({ length: keyspace.shards }, (_, shard) =>
      redis.zcard(keyspace.sharded(shard, "subs-due")),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe("a browser that nobody opens", () => {
  it("is warned about two weeks before, once, and given up when they are over", async () => {
    const store = openStore();
    const expiry = openExpiry();
    const seenAt = clock.now();
    await store.put("teacher-1", browser("old"), { label: "Old laptop" });
    clock.advance(45 * DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 0, removed: 0 });
    clock.advance(DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 1, removed: 0 });
    expect(warnings).toMatchObject([
      { userId: "teacher-1", label: "Old laptop", expiresAt: seenAt + LIFE.staleMs },
    ]);
    clock.advance(13 * DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 0, removed: 0 });
    expect(await store.list("teacher-1")).toHaveLength(1);
    clock.advance(DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 0, removed: 1 });
    expect(await store.list("teacher-1")).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(await indexed()).toBe(0);
  });

  it("stays when it is opened after the warning, and is warned about anew when it is not again", async () => {
    const store = openStore();
    const expiry = openExpiry();
    await store.put("teacher-1", browser("rare"));
    clock.advance(50 * DAY_MS);
    await expiry.run();
    await store.put("teacher-1", browser("rare"));
    clock.advance(20 * DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 0, removed: 0 });
    expect(await store.list("teacher-1")).toHaveLength(1);
    clock.advance(26 * DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 1, removed: 0 });
    expect(new Set(warnings.map(({ key }) => key)).size).toBe(2);
  });

  it("does not touch the other browsers and people", async () => {
    const store = openStore();
    const expiry = openExpiry();
    await store.put("teacher-1", browser("old"));
    clock.advance(40 * DAY_MS);
    await store.put("teacher-1", browser("new"));
    await store.put("teacher-2", browser("other"));
    clock.advance(10 * DAY_MS);
    await expiry.run();
    clock.advance(14 * DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 0, removed: 1 });
    const left = await store.list("teacher-1");
    expect(left.map(({ endpoint }) => endpoint)).toEqual([browser("new").endpoint]);
    expect(await store.list("teacher-2")).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });

  it("is looked after by the clock, without anybody asking", async () => {
    const store = openStore();
    await store.put("teacher-1", browser("old"));
    const told = Promise.withResolvers<DeviceWarning>();
    const expiry = openExpiry(async (warning) => {
      told.resolve(warning);
      await Promise.resolve();
    });
    expiry.start();
    await expiry.run();
    clock.advance(46 * DAY_MS);
    expect(await told.promise).toMatchObject({ userId: "teacher-1" });
    await expiry.close();
  });
});

describe("several workers", () => {
  it("warn about each of many browsers once, and remove each once", async () => {
    const store = openStore();
    const names = Array.from({ length: 130 }, (_, index) => `teacher-${index}`);
    await Promise.all(names.map((name) => store.put(name, browser(name))));
    const workers = [openExpiry(), openExpiry(), openExpiry()];
    clock.advance(50 * DAY_MS);
    const warned = await Promise.all(workers.map((worker) => worker.run()));
    expect(warned.reduce((sum, count) => sum + count.warned, 0)).toBe(130);
    expect(new Set(warnings.map(({ userId }) => userId)).size).toBe(130);
    expect(warnings).toHaveLength(130);
    clock.advance(14 * DAY_MS);
    const removed = await Promise.all(workers.map((worker) => worker.run()));
    expect(removed.reduce((sum, count) => sum + count.removed, 0)).toBe(130);
    expect(await indexed()).toBe(0);
  });

  it("take over from one that died over a warning, under the same key", async () => {
    const store = openStore();
    await store.put("teacher-1", browser("old"));
    clock.advance(50 * DAY_MS);
    const dying = openExpiry(async (warning) => {
      warnings.push(warning);
      await Promise.reject(new Error("the connection is gone"));
    });
    await expect(dying.run()).rejects.toThrow("the connection is gone");
    const other = openExpiry();
    expect(await other.run()).toEqual({ warned: 0, removed: 0 });
    clock.advance(5 * 60_000);
    expect(await other.run()).toEqual({ warned: 1, removed: 0 });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]?.key).toBe(warnings[1]?.key);
  });

  it("let a browser that is opened while it is being warned about or given up keep its place", async () => {
    const store = openStore();
    await store.put("teacher-1", browser("late"));
    clock.advance(50 * DAY_MS);
    const expiry = openExpiry(async () => {
      await store.put("teacher-1", browser("late"));
    });
    await expiry.run();
    clock.advance(14 * DAY_MS);
    expect(await expiry.run()).toEqual({ warned: 0, removed: 0 });
    expect(await store.list("teacher-1")).toHaveLength(1);
  });
});

it("a browser that is opened just as it is given up keeps its place", async () => {
  const store = openStore();
  const [user, late] = ["teacher-1", browser("late")];
  await store.put(user, late);
  clock.advance(50 * DAY_MS);
  await openExpiry().run();
  clock.advance(14 * DAY_MS);
  const records = openRecords();
  const slow = openExpiry(undefined, {
    ...records,
    // Between reading it and taking it away.
    async ownerOf(id) {
      await store.put(user, late);
      return await records.ownerOf(id);
    },
  });
  expect(await slow.run()).toEqual({ warned: 0, removed: 0 });
  expect(await store.list(user)).toMatchObject([{ ...late, lastSeenAt: clock.now() }]);
});

it("nobody is warned about a browser that another uses now, nor is it taken from that one", async () => {
  const store = openStore();
  const shared = browser("library");
  await store.put("teacher-2", shared);
  // Left behind by a move that was cut short.
  const [now, id] = [clock.now(), subscriptionIdOf(shared.endpoint)];
  const stored = { ...shared, createdAt: now, lastSeenAt: now - 50 * DAY_MS };
  await openRecords().write("teacher-1", id, { stored, attentionAt: now });
  expect(await openExpiry().run()).toEqual({ warned: 0, removed: 0 });
  expect(warnings).toEqual([]);
  expect(await openRecords().readAll("teacher-1")).toEqual([]);
  expect(await store.list("teacher-2")).toHaveLength(1);
});

describe("what lies in the index and is no more", () => {
  it("is forgotten: taken back, or gone to another user", async () => {
    const store = openStore();
    await store.put("teacher-1", browser("a"));
    await store.put("teacher-1", browser("b"));
    await store.remove("teacher-1", browser("a").endpoint);
    await store.put("teacher-2", browser("b"));
    expect(await indexed()).toBe(1);
    const index = test.keyspace.sharded(test.keyspace.shardOfUser("nobody"), "subs-due");
    await test.redis.zadd(index, 0, `${"0".repeat(64)} nobody`);
    expect(await openExpiry().run()).toEqual({ warned: 0, removed: 0 });
    expect(await indexed()).toBe(1);
  });

  it("is left alone for a day if it cannot be read: its key may come back", async () => {
    const { redis, keyspace } = test;
    const strange = createSubscriptionStore({
      redis,
      keyspace,
      sealing: createSealing(Buffer.alloc(32, 9)),
      clock,
      life: LIFE,
    });
    await strange.put("teacher-1", browser("strange"));
    clock.advance(100 * DAY_MS);
    expect(await openExpiry().run()).toEqual({ warned: 0, removed: 0 });
    expect(await strange.list("teacher-1")).toHaveLength(1);
    expect(warnings).toEqual([]);
  });
});
