/** A Redis that another version wrote to is taken over only when nothing in it can be lost. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LEDGER_FORMATS } from "../../src/contract/versions.ts";
import { agreeOnLedgerFormat } from "../../src/tracking/ledger-format.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(() => store.close());

describe("the form of the ledger", () => {
  it("of an older version is refused while a notification is unsettled or an outcome unsent", async () => {
    const { redis, keyspace } = store;
    await redis.zadd(keyspace.sharded(0, "due"), 1, "a-note");
    expect(await agreeOnLedgerFormat(store)).toMatch(
      /holds 1 unsettled notifications and 0 unsent/,
    );
    await redis.del(keyspace.sharded(0, "due"));
    await redis.xadd(keyspace.sharded(1, "outcomes"), "*", "id", "a-note");
    expect(await agreeOnLedgerFormat(store)).toMatch(
      /holds 0 unsettled notifications and 1 unsent/,
    );
    expect(await redis.exists(keyspace.plain("format"))).toBe(0);
    await redis.del(keyspace.sharded(1, "outcomes"));
  });

  it("is marked where nothing is open, and then agreed on whatever is", async () => {
    const { redis, keyspace } = store;
    expect(await agreeOnLedgerFormat(store)).toBeUndefined();
    expect(await redis.get(keyspace.plain("format"))).toBe(String(LEDGER_FORMATS.oldest));
    await redis.zadd(keyspace.sharded(0, "due"), 1, "a-note");
    expect(await agreeOnLedgerFormat(store)).toBeUndefined();
  });

  it("of a newer version is refused", async () => {
    await store.redis.set(store.keyspace.plain("format"), LEDGER_FORMATS.newest + 1);
    expect(await agreeOnLedgerFormat(store)).toMatch(/newer version/);
  });
});
