/** Processes know of each other, of who differs, and that Redis came back with older data. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createProcessCensus, type ProcessCensus } from "../../src/platform/process-census.ts";
import { createLedgerFormats } from "../../src/tracking/ledger-format.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;
let clock: ManualClock;
let told: PromiseWithResolvers<void>;
let rewound: (number | undefined)[];
const open: ProcessCensus[] = [];

beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(() => store.close());
beforeEach(() => {
  clock = createManualClock();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((census) => census.close()));
  await store.redis.del(store.keyspace.plain("processes"), store.keyspace.plain("format"));
});

function join(nodeId: string, reads = 3): ProcessCensus {
  told = Promise.withResolvers();
  rewound = [];
  const census = createProcessCensus({
    ...store,
    clock,
    logger: createSilentLogger(),
    nodeId,
    reads,
    version: "1.0.0",
    onTold: async () => told.resolve(),
    onRewound: (survived) => rewound.push(survived),
  });
  open.push(census);
  return census;
}

/** Until the next telling is over. */
async function beat(): Promise<void> {
  told = Promise.withResolvers();
  clock.advance(5_000);
  await told.promise;
}

describe("a process", () => {
  it("leaves nothing behind that stops while it tells of itself", async () => {
    const leaving = join("leaving");
    await leaving.announce("same");
    told = Promise.withResolvers();
    clock.advance(5_000);
    await leaving.close();
    await told.promise;
    expect(await store.redis.hlen(store.keyspace.plain("processes"))).toBe(0);
  });

  it("is among others that are alike, until one differs, and until that one is gone", async () => {
    const first = join("first");
    await first.announce("same");
    await join("second").announce("same");
    expect(await first.isMixed()).toBe(false);
    const third = join("third");
    await third.announce("other");
    expect(await first.isMixed()).toBe(true);
    expect(await first.living()).toHaveLength(3);
    await third.close();
    expect(await first.isMixed()).toBe(false);
  });

  it("that ended without a goodbye counts for five minutes", async () => {
    await store.redis.hset(
      store.keyspace.plain("processes"),
      "killed",
      JSON.stringify({
        reads: 3,
        version: "0",
        abilities: "",
        beat: 9,
        at: clock.now(),
      }),
    );
    const census = join("mine");
    await census.announce("mine");
    clock.advance(299_000);
    expect(await census.living()).toHaveLength(2);
    clock.advance(2_000);
    await census.announce("mine");
    expect(await census.living()).toHaveLength(1);
  });

  it("notices that Redis came back with older data, and from when it is", async () => {
    const { redis, keyspace } = store;
    const census = join("mine");
    await census.announce("mine");
    const backup = await redis.hgetall(keyspace.plain("processes"));
    const survived = clock.now();
    await beat();
    await beat();
    expect(rewound).toEqual([]);
    await redis.hset(keyspace.plain("processes"), backup);
    await beat();
    expect(rewound).toEqual([survived]);
    await redis.del(keyspace.plain("processes"));
    await beat();
    expect(rewound).toEqual([survived, undefined]);
    await beat();
    expect(rewound).toHaveLength(2);
  });
});

describe("a new form of the ledger", () => {
  const formatsOf = (census: ProcessCensus, newest: number) =>
    createLedgerFormats({
      ...store,
      clock,
      range: { oldest: 3, newest, raiseAfterMs: 600_000 },
      living: () => census.living(),
      onNewer: () => {},
    });
  const stored = () => store.redis.get(store.keyspace.plain("format"));

  it("is written once everybody reads it, and after no older version may start any more", async () => {
    const { redis, keyspace } = store;
    await redis.set(keyspace.plain("format"), 3);
    const old = join("old", 3);
    await old.announce("");
    const census = join("new", 4);
    await census.announce("");
    const formats = formatsOf(census, 4);
    await formats.refresh();
    expect(formats.mark()).toBe("=");
    expect(await stored()).toBe("3");

    await old.close();
    await formats.refresh();
    clock.advance(290_000);
    await census.announce("");
    await formats.refresh();
    clock.advance(290_000);
    await census.announce("");
    await formats.refresh();
    // Until now one may go back.
    expect(await stored()).toBe("3");
    clock.advance(20_001);
    await formats.refresh();
    expect(await stored()).toBe("4");
    // Who looked before that and has not told of itself yet is seen by the next look.
    expect(formats.mark()).toBe("=");
    await formats.refresh();
    expect(formats.mark()).toBe("4=");

    // One that stood still and is back: what it reads is written again.
    await join("back", 3).announce("");
    await formats.refresh();
    expect(formats.mark()).toBe("=");
    expect(await stored()).toBe("4");
  });
});
