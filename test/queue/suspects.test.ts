/** A note that no worker survives is found out and put aside, and everything beside it is worked. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel } from "../../src/contract/vocabulary.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import type { EnvelopeItem } from "../../src/queue/envelope.ts";
import { createStageQueues, type StageQueues, type Waiting } from "../../src/queue/stage-queues.ts";
import { createMutex } from "../../src/queue/mutex.ts";
import { createStageWorkers } from "../../src/queue/stage-workers.ts";
import { createSuspects } from "../../src/queue/suspects.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;
let queues: StageQueues;
let releases: (() => unknown)[];

beforeEach(async () => {
  store = await openTestRedis();
  queues = createStageQueues({ redis: store.redis, keyspace: store.keyspace });
  releases = [];
});
afterEach(async () => {
  for (const release of releases.toReversed()) await release();
  await queues.close();
  await store.close();
});

/** What became of everything, over all workers that there were. */
interface Log {
  /** Ids; a stage drops what it is given again. */
  readonly worked: Set<string>;
  readonly condemned: string[];
  deaths: number;
}

const newLog = (): Log => ({ worked: new Set(), condemned: [], deaths: 0 });

/**
 * A worker that dies when it is given what kills it: it is heard of no more, its connection breaks,
 * and nobody renews its locks. A further one takes its place.
 */
async function startMortalWorker(log: Log, kills: (items: readonly EnvelopeItem[]) => boolean) {
  const redis = connectRedis(store.url, "blocking");
  releases.push(() => redis.disconnect());
  let isDead = false;
  const never = new Promise<void>(() => {});

  async function work(items: readonly EnvelopeItem[]): Promise<void> {
    if (isDead) return await never;
    if (!kills(items)) {
      for (const { id } of items) log.worked.add(id);
      return;
    }
    isDead = true;
    log.deaths += 1;
    redis.disconnect();
    await startMortalWorker(log, kills);
    await never;
  }
  const workers = createStageWorkers({
    redis,
    keyspace: store.keyspace,
    processors: { websocket: work, push: work, sms: work },
    async condemn(_stage: Channel, items) {
      log.condemned.push(...items.map(({ id }) => id));
    },
    clock: createManualClock(),
    lockMs: 400,
    stallCheckMs: 100,
    logger: createSilentLogger(),
  });
  await workers.start();
  // One that died has work that never ends: it cannot be closed, only cut off.
  releases.push(async () => {
    if (!isDead) await workers.close();
  });
}

const waiting = (id: string, stage: Channel, lane: Waiting["lane"]): Waiting => ({
  id,
  userId: "one-user",
  stage,
  lane,
  attempt: 0,
});

const SOON = { timeout: 60_000, interval: 50 };

describe.each<[string, Channel, Waiting["lane"], number]>([
  ["an envelope", "push", "normal", 10],
  ["an envelope of its own", "sms", "urgent", 1],
  ["an ordered list", "websocket", "normal", 30],
])("poison in %s", (_what, stage, lane, size) => {
  const notes = Array.from({ length: size }, (_, index) =>
    waiting(index === Math.floor(size / 2) ? "poison" : `note-${index}`, stage, lane),
  );
  const others = notes.map(({ id }) => id).filter((id) => id !== "poison");

  it("takes five workers with it, and nothing else", { timeout: 90_000 }, async () => {
    const log = newLog();
    await startMortalWorker(log, (items) => items.some(({ id }) => id === "poison"));
    await queues.enqueue(notes);
    await expect.poll(() => log.condemned, SOON).toEqual(["poison"]);
    await expect.poll(() => [...log.worked].toSorted(), SOON).toEqual(others.toSorted());
    expect(log.deaths).toBe(5);
    expect(await store.redis.keys(`${store.prefix}*:alone:poison`)).toEqual([]);
  });

  it(
    "is not what an operator kills with its worker, four times over",
    { timeout: 90_000 },
    async () => {
      const log = newLog();
      let kills = 4;
      await startMortalWorker(log, () => {
        kills -= 1;
        return kills >= 0;
      });
      await queues.enqueue(notes);
      await expect.poll(() => log.worked.size, SOON).toBe(size);
      expect([...log.worked].toSorted()).toEqual(notes.map(({ id }) => id).toSorted());
      expect(log.condemned).toEqual([]);
      expect(log.deaths).toBe(4);
    },
  );
});

it(
  "notes that die with a neighbour's worker are worked after it is put aside",
  { timeout: 90_000 },
  async () => {
    const log = newLog();
    await startMortalWorker(log, (items) => items.some(({ id }) => id.startsWith("poison")));
    await queues.enqueue([
      waiting("poison-1", "push", "normal"),
      waiting("a", "push", "normal"),
      waiting("poison-2", "push", "normal"),
      waiting("b", "push", "normal"),
    ]);
    await expect.poll(() => log.condemned.toSorted(), SOON).toEqual(["poison-1", "poison-2"]);
    await expect.poll(() => [...log.worked].toSorted(), SOON).toEqual(["a", "b"]);
    // Two together, three for each alone.
    expect(log.deaths).toBe(8);
  },
);

it("suspects of two queues have their turns one after the other, or each dies of the other", async () => {
  const oneAtATime = createMutex();
  const gate = Promise.withResolvers<void>();
  const inHand = Promise.withResolvers<void>();
  const log: string[] = [];
  const suspectsOf = (queue: string, process: () => Promise<void>) =>
    createSuspects({
      redis: store.redis,
      keyspace: store.keyspace,
      queue,
      oneAtATime,
      process: async () => {
        log.push(`${queue} in`);
        await process();
        log.push(`${queue} out`);
      },
      condemn: async () => {},
      logger: createSilentLogger(),
    });
  const first = suspectsOf("first", async () => {
    inHand.resolve();
    await gate.promise;
  });
  const second = suspectsOf("second", async () => {});
  const item = (id: string): EnvelopeItem => ({ id, attempt: 0 });
  const firstDone = first([item("a")]);
  await inHand.promise;
  const secondDone = second([item("b")]);
  // More round trips than the second needs to begin, were it not for the first.
  for (let trips = 0; trips < 5; trips += 1) await store.redis.ping();
  gate.resolve();
  await Promise.all([firstDone, secondDone]);
  expect(log).toEqual(["first in", "first out", "second in", "second out"]);
});

it("a suspect that fails keeps no other from its turn, and is told of", async () => {
  const worked: string[] = [];
  const suspects = createSuspects({
    redis: store.redis,
    keyspace: store.keyspace,
    queue: "one",
    oneAtATime: createMutex(),
    async process([one]) {
      if (one?.id === "bad") throw new Error("Redis was away");
      worked.push(one?.id ?? "");
    },
    condemn: async () => {},
    logger: createSilentLogger(),
  });
  const items = ["bad", "good"].map((id): EnvelopeItem => ({ id, attempt: 0 }));
  await expect(suspects(items)).rejects.toThrow("Redis was away");
  expect(worked).toEqual(["good"]);
});
