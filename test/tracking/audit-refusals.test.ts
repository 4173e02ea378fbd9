/** What refused requests leave behind: enough to see them, too little to bury anything. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createAuditReader } from "../../src/tracking/audit-reader.ts";
import { createRefusals, refusalsKey, type Refusal } from "../../src/tracking/refusals.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const MINUTE_MS = 60_000;
const SHOWN_AFTER_MS = 1_000;

let store: TestRedis;
let clock: ManualClock;
beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(() => store.close());
beforeEach(async () => {
  clock = createManualClock();
  const keys = Array.from({ length: store.keyspace.shards }, (_, shard) =>
    refusalsKey(store.keyspace, shard),
  );
  await store.redis.del(...keys);
});

function open() {
  const { redis, keyspace } = store;
  return createRefusals({ redis, keyspace, clock, logger: createSilentLogger() });
}

const read = async () => (await createAuditReader(store).read({ limit: 1_000 })).entries;

function refused(who: Refusal["who"], code = "unauthenticated"): Refusal {
  return { action: "rejected", code, path: "/notify", who };
}

describe("a refusal", () => {
  it("is in the trail about a second later, with its caller", async () => {
    const refusals = open();
    const at = new Date(clock.now()).toISOString();
    refusals.record(refused({ caller: "nosy" }, "forbidden"));
    clock.advance(SHOWN_AFTER_MS);
    await expect
      .poll(read)
      .toEqual([
        { at, action: "rejected", code: "forbidden", path: "/notify", caller: "nosy", count: 1 },
      ]);
    await refusals.close();
    expect(await read()).toHaveLength(1);
  });

  it("is written at once when the process stops", async () => {
    const refusals = open();
    refusals.record({ action: "security_alert", who: { address: "192.0.2.1" } });
    await refusals.close();
    expect(await read()).toMatchObject([{ action: "security_alert", address: "192.0.2.1" }]);
  });

  it("while Redis cannot be written to harms nothing", async () => {
    const key = refusalsKey(store.keyspace, store.keyspace.shardOfUser("nosy"));
    await store.redis.set(key, "not a stream");
    const refusals = open();
    refusals.record(refused({ caller: "nosy" }));
    await expect(refusals.close()).resolves.toBeUndefined();
  });
});

describe("a flood of refusals", () => {
  it("becomes two entries a minute for each kind and each who, and all are counted", async () => {
    const refusals = open();
    for (let second = 0; second < 2 * 60; second += 1) {
      for (let index = 0; index < 50; index += 1) {
        refusals.record(refused({ address: "192.0.2.1" }));
        refusals.record(refused({ address: "192.0.2.2" }, "rate_limited"));
      }
      clock.advance(1_000);
    }
    await refusals.close();
    const entries = await read();
    expect(entries).toHaveLength(8);
    for (const address of ["192.0.2.1", "192.0.2.2"]) {
      const counts = entries
        .filter((entry) => entry.address === address)
        .map(({ count = 0 }) => count);
      expect(counts.reduce((sum, count) => sum + count)).toBe(2 * 60 * 50);
    }
  });

  it("from ever new addresses is summed up, and hides no caller", async () => {
    const refusals = open();
    for (let index = 0; index < 5_000; index += 1) {
      refusals.record(refused({ address: `2001:db8::${index.toString(16)}` }));
    }
    refusals.record(refused({ caller: "nosy" }, "forbidden"));
    clock.advance(MINUTE_MS);
    await refusals.close();
    const { redis, keyspace } = store;
    const lengths = await Promise.all(
      Array.from({ length: keyspace.shards }, (_, shard) =>
        redis.xlen(refusalsKey(keyspace, shard)),
      ),
    );
    // A thousand addresses, all others, and the caller.
    expect(lengths.reduce((sum, length) => sum + length)).toBe(1_002);
    const { entries } = await createAuditReader(store).read({ action: "rejected", limit: 2_000 });
    expect(entries.find(({ address }) => address === "others")?.count).toBe(4_000);
    expect(entries.filter(({ caller }) => caller === "nosy")).toHaveLength(1);
  });
});
