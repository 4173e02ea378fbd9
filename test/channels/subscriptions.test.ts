/** Which browsers ring for whom: at most ten each, and a shared computer only for its latest user. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSubscriptionRecords } from "../../src/channels/push/subscription-records.ts";
import { createSubscriptionStore } from "../../src/channels/push/subscriptions.ts";
import type { PushSubscription } from "../../src/channels/push/subscription.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const KEYS = { p256dh: "public-key-of-a-browser", auth: "secret-of-a-browser" };

const DAY_MS = 86_400_000;
const LIFE = { staleMs: 60 * DAY_MS, warningMs: 14 * DAY_MS };

let test: TestRedis;
let now = 1_000;
let store: ReturnType<typeof createSubscriptionStore>;
let users = 0;

/** A user nobody else here uses. */
function someone(): string {
  users += 1;
  return `teacher-${users}`;
}

function browser(name: string): PushSubscription {
  return { endpoint: `https://push.example.org/${name}`, keys: KEYS };
}

function keyOf(userId: string): string {
  return test.keyspace.sharded(test.keyspace.shardOfUser(userId), `subs:${userId}`);
}

async function endpointsOf(userId: string): Promise<string[]> {
  return (await store.list(userId)).map(({ endpoint }) => endpoint.split("/").at(-1) ?? "");
}

beforeAll(async () => {
  test = await openTestRedis();
  store = createSubscriptionStore({
    redis: test.redis,
    keyspace: test.keyspace,
    sealing: createSealing(Buffer.alloc(32, 1)),
    clock: { now: () => now },
    life: LIFE,
  });
});
afterAll(async () => {
  await test.close();
});

describe("push subscriptions", () => {
  it("are there until taken back", async () => {
    const user = someone();
    const { subscriptionId, created } = await store.put(user, browser("desk"));
    expect(created).toBe(true);
    expect(await store.list(user)).toEqual([
      {
        ...browser("desk"),
        subscriptionId,
        createdAt: now,
        lastSeenAt: now,
        label: "Browser",
        expiresAt: now + LIFE.staleMs,
      },
    ]);
    expect(await store.remove(user, browser("desk").endpoint)).toBe(true);
    expect(await store.list(user)).toEqual([]);
    expect(await store.remove(user, browser("desk").endpoint)).toBe(false);
  });

  it("of the same browser are one, with its newest keys", async () => {
    const user = someone();
    const first = await store.put(user, browser("renewed"));
    const createdAt = now;
    now += 500;
    const keys = { p256dh: "another-key", auth: "another-secret" };
    const second = await store.put(user, { ...browser("renewed"), keys });
    expect(second).toMatchObject({ subscriptionId: first.subscriptionId, created: false });
    expect(await store.list(user)).toMatchObject([{ keys, createdAt, lastSeenAt: now }]);
  });

  it("make room by dropping the browser seen longest ago", async () => {
    const user = someone();
    for (let index = 0; index < 10; index += 1) {
      now += 1;
      await store.put(user, browser(`old-${index}`));
    }
    now += 1;
    await store.put(user, browser("old-0"));
    now += 1;
    await store.put(user, browser("new"));
    const kept = await endpointsOf(user);
    expect(kept).toHaveLength(10);
    expect(kept).toContain("old-0");
    expect(kept).not.toContain("old-1");
    expect(kept[0]).toBe("new");
  });

  it("stay at ten even when many arrive at once", async () => {
    const user = someone();
    await Promise.all(
      Array.from({ length: 15 }, async (_item, index) => {
        await store.put(user, browser(`rush-${index}`));
      }),
    );
    expect(await store.list(user)).toHaveLength(10);
  });

  it("move to whoever used the computer last", async () => {
    const [before, after] = [someone(), someone()];
    await store.put(before, browser("library"));
    await store.put(before, browser("own-laptop"));
    expect(await store.put(after, browser("library"))).toMatchObject({ created: true });
    expect(await endpointsOf(after)).toEqual(["library"]);
    expect(await endpointsOf(before)).toEqual(["own-laptop"]);
  });

  it("that moved cannot be taken back by the user before", async () => {
    const [before, after] = [someone(), someone()];
    await store.put(before, browser("lab"));
    const { subscriptionId } = await store.put(after, browser("lab"));
    expect(await store.remove(before, browser("lab").endpoint)).toBe(false);
    await store.prune(before, subscriptionId);
    expect(await endpointsOf(after)).toEqual(["lab"]);
  });

  it("ring for one user only, whatever order two of them arrive in", async () => {
    const [one, other] = [someone(), someone()];
    await Promise.all([
      store.put(one, browser("contested")),
      store.put(other, browser("contested")),
    ]);
    const holders = [...(await endpointsOf(one)), ...(await endpointsOf(other))];
    expect(holders).toEqual(["contested"]);
    const left = await Promise.all([one, other].map((user) => test.redis.hlen(keyOf(user))));
    expect(left.toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  it("stay with the newest of many users who pass a computer on, and ring for nobody else", async () => {
    const many = Array.from({ length: 8 }, someone);
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(many.map((user) => store.put(user, browser("cart"))));
      const last = someone();
      await store.put(last, browser("cart"));
      const lists = await Promise.all([...many, last].map(endpointsOf));
      expect(lists.map(({ length }) => length)).toEqual([...many.map(() => 0), 1]);
    }
  });

  it("that are stored anew while they are being taken away are not lost", async () => {
    for (let round = 0; round < 25; round += 1) {
      const user = someone();
      const { subscriptionId } = await store.put(user, browser("flickering"));
      await Promise.all([
        store.prune(user, subscriptionId),
        store.put(user, browser("flickering")),
      ]);
      // What lies there also rings: its owner did not go with the one before.
      expect(await endpointsOf(user)).toHaveLength(await test.redis.hlen(keyOf(user)));
    }
  });

  it("that their browser says are good until some day are not sent to after it", async () => {
    const user = someone();
    await store.put(user, { ...browser("timed"), expirationTime: now + 1_000 });
    expect(await store.list(user)).toMatchObject([{ expiresAt: now + 1_000 }]);
    now += 1_000;
    expect(await store.list(user)).toEqual([]);
  });

  it("keep the name that their page gave them", async () => {
    const user = someone();
    const made = { madeLabel: "Firefox on Linux" };
    expect(await store.put(user, browser("named"), made)).toMatchObject({ label: made.madeLabel });
    await store.put(user, browser("named"), { ...made, label: "School laptop" });
    expect(await store.put(user, browser("named"), made)).toMatchObject({ label: "School laptop" });
  });

  it("that were written by the version before are read, and enter the index then", async () => {
    const user = someone();
    const { subscriptionId } = await store.put(user, browser("former"));
    const { endpoint, keys } = browser("former");
    const former = { endpoint, keys, createdAt: now, lastSeenAt: now };
    await test.redis.hset(keyOf(user), subscriptionId, JSON.stringify(former));
    const index = test.keyspace.sharded(test.keyspace.shardOfUser(user), "subs-due");
    await test.redis.zrem(index, `${subscriptionId} ${user}`);
    expect(await store.list(user)).toMatchObject([{ endpoint, lastSeenAt: now }]);
    const at = await test.redis.zscore(index, `${subscriptionId} ${user}`);
    expect(Number(at)).toBe(now + LIFE.staleMs - LIFE.warningMs);
  });

  it("that the push service calls gone are dropped, and can come back", async () => {
    const user = someone();
    const { subscriptionId } = await store.put(user, browser("gone"));
    await store.put(user, browser("alive"));
    await store.prune(user, subscriptionId);
    expect(await endpointsOf(user)).toEqual(["alive"]);
    expect(await store.put(user, browser("gone"))).toMatchObject({ created: true });
  });

  it("leave nothing readable in Redis", async () => {
    const user = someone();
    await store.put(user, browser("sealed"));
    const stored = JSON.stringify(await test.redis.hgetall(keyOf(user)));
    expect(stored).toContain("e1:");
    expect(stored).not.toContain("push.example.org");
    expect(stored).not.toContain(KEYS.auth);
  });

  it("sealed under a key that was lost are replaced when the browser returns", async () => {
    const user = someone();
    const former = createSubscriptionStore({
      redis: test.redis,
      keyspace: test.keyspace,
      sealing: createSealing(Buffer.alloc(32, 9)),
      clock: { now: () => now },
      life: LIFE,
    });
    await former.put(user, browser("rekeyed"));
    expect(await store.list(user)).toEqual([]);
    await store.put(user, browser("rekeyed"));
    expect(await endpointsOf(user)).toEqual(["rekeyed"]);
  });

  it("leave no trace of an owner behind when they go", async () => {
    const user = someone();
    const { subscriptionId } = await store.put(user, browser("traceless"));
    await store.prune(user, subscriptionId);
    expect(await test.redis.exists(test.keyspace.plain(`endpoint:${subscriptionId}`))).toBe(0);
  });
});

it("what is remembered of browsers that went is forgotten in time", async () => {
  const user = someone();
  const gone = await store.put(user, browser("gone-for-good"));
  await store.prune(user, gone.subscriptionId);
  const dismissed = await store.put(user, browser("dismissed"));
  await store.dismiss(user, dismissed.subscriptionId);
  for (const [name, id, days] of [
    ["subs-gone", gone.subscriptionId, 30],
    ["subs-out", dismissed.subscriptionId, 365],
  ] as const) {
    const key = test.keyspace.sharded(test.keyspace.shardOfUser(user), `${name}:${user}:${id}`);
    const left = await test.redis.pttl(key);
    expect(left).toBeGreaterThan((days - 1) * DAY_MS);
    expect(left).toBeLessThanOrEqual(days * DAY_MS);
  }
});

it("a browser that another has by now is no longer the former one's, even if its move was cut short", async () => {
  const [before, after] = [someone(), someone()];
  const { subscriptionId } = await store.put(after, browser("cut-short"));
  const { redis, keyspace } = test;
  const sealing = createSealing(Buffer.alloc(32, 1));
  const records = createSubscriptionRecords({ redis, keyspace, sealing });
  const { endpoint, keys } = browser("cut-short");
  const stored = { endpoint, keys, createdAt: now, lastSeenAt: now };
  await records.write(before, subscriptionId, { stored, attentionAt: now });
  expect(await store.list(before)).toEqual([]);
  expect(await store.dismiss(before, subscriptionId)).toBe(false);
  expect(await store.renew(before, subscriptionId, browser("its-successor"))).toBeUndefined();
  expect(await endpointsOf(after)).toEqual(["cut-short"]);
});

describe("the VAPID key of a subscription", () => {
  const keyOf = async (userId: string): Promise<string | undefined> =>
    (await store.list(userId))[0]?.keyId;
  const stated = (keyId: string) => ({ vapid: { keyId, stated: true } });
  const assumed = (keyId: string) => ({ vapid: { keyId, stated: false } });

  it("is what the browser says, or else the current one", async () => {
    const user = someone();
    await store.put(user, { ...browser("of-today"), ...assumed("current") });
    expect(await keyOf(user)).toBe("current");
    await store.put(user, { ...browser("of-today"), ...stated("previous") });
    expect(await keyOf(user)).toBe("previous");
  });

  it("stays what it was when a page that does not say comes by after a rotation", async () => {
    const [user, next] = [someone(), someone()];
    await store.put(user, { ...browser("shared-key"), ...stated("previous") });
    await store.put(user, { ...browser("shared-key"), ...assumed("current") });
    expect(await keyOf(user)).toBe("previous");
    await store.put(next, { ...browser("shared-key"), ...assumed("current") });
    expect(await keyOf(next)).toBe("previous");
  });

  it("stays unknown, which means the oldest, for what was stored before keys had names", async () => {
    const user = someone();
    await store.put(user, browser("from-before"));
    await store.put(user, { ...browser("from-before"), ...assumed("current") });
    expect(await keyOf(user)).toBeUndefined();
  });
});
