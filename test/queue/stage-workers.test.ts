/** Queues and workers together: everything queued is worked, in order, by whoever is there. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { queueNameOf, queuePrefix } from "../../src/queue/lanes.ts";
import { createStageQueues, type StageQueues, type Waiting } from "../../src/queue/stage-queues.ts";
import { createStageWorkers, type StageWorkers } from "../../src/queue/stage-workers.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
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

interface Crew {
  readonly workers: StageWorkers;
  readonly clock: ManualClock;
  /** Ids, in the order in which the websocket stage got them. */
  readonly worked: string[];
}

async function startCrew(onBatch: (crew: Crew) => Promise<void> = async () => {}): Promise<Crew> {
  const redis = connectRedis(store.url, "blocking");
  const clock = createManualClock();
  const worked: string[] = [];
  const work = async (items: readonly { readonly id: string }[]): Promise<void> => {
    worked.push(...items.map(({ id }) => id));
    await onBatch(crew);
  };
  const workers = createStageWorkers({
    redis,
    keyspace: store.keyspace,
    processors: { websocket: work, push: work, sms: work },
    condemn: async () => {},
    clock,
    lockMs: 1_000,
    stallCheckMs: 300,
    logger: createSilentLogger(),
  });
  const crew = { workers, clock, worked };
  releases.push(() => redis.disconnect());
  await workers.start();
  return crew;
}

const waiting = (id: string, lane: Waiting["lane"] = "normal"): Waiting => ({
  id,
  userId: "one-user",
  stage: "websocket",
  lane,
  attempt: 0,
});
const numbered = (from: number, to: number): Waiting[] =>
  Array.from({ length: to - from }, (_, index) => waiting(`note-${from + index}`));
const idsOf = (notes: readonly Waiting[]): string[] => notes.map(({ id }) => id);

describe("queues and workers", () => {
  it("work all lanes", async () => {
    const crew = await startCrew();
    await queues.enqueue([waiting("a", "urgent"), waiting("b"), waiting("c", "bulk")]);
    await expect.poll(() => crew.worked.toSorted()).toEqual(["a", "b", "c"]);
    await crew.workers.close();
  });

  it("tell how much waits: notes of an ordered queue, envelopes of another", async () => {
    await queues.enqueue(numbered(0, 250));
    await queues.enqueue([waiting("a", "urgent"), waiting("b", "urgent")]);
    expect(await queues.waiting()).toBe(251);
  });

  it("keep the order of one user over two workers that take turns", async () => {
    const all: string[] = [];
    const whoWorked = new Set<Crew>();
    const turn = async (crew: Crew): Promise<void> => {
      const { clock, worked } = crew;
      whoWorked.add(crew);
      all.push(...worked.splice(0));
      // Each shift is over after a batch, so that the list goes round.
      clock.advance(60_000);
    };
    const crews = [await startCrew(turn), await startCrew(turn)];
    const expected = numbered(0, 2_000);
    for (let from = 0; from < expected.length; from += 40) {
      await queues.enqueue(expected.slice(from, from + 40));
    }
    await expect.poll(() => all.length).toBe(expected.length);
    expect(all).toEqual(idsOf(expected));
    expect(whoWorked.size).toBe(2);
    await Promise.all(crews.map(({ workers }) => workers.close()));
  });

  it("close with a batch in hand, and the next worker goes on behind it", async () => {
    const inHand = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const first = await startCrew(async () => {
      inHand.resolve();
      await goOn.promise;
    });
    await queues.enqueue(numbered(0, 250));
    await inHand.promise;
    const closed = first.workers.close();
    goOn.resolve();
    await closed;
    expect(first.worked.length).toBeLessThan(250);

    const second = await startCrew();
    await expect.poll(() => [...first.worked, ...second.worked]).toEqual(idsOf(numbered(0, 250)));
    await second.workers.close();
  });

  it("find what was pushed by a process that died before it could wake anybody", async () => {
    const crew = await startCrew();
    const shard = store.keyspace.shardOfUser("one-user");
    const base = queuePrefix(store.keyspace, queueNameOf("websocket", "normal", shard));
    await store.redis.rpush(`${base}:items`, "note-0 0");
    await expect
      .poll(() => {
        crew.clock.advance(2_000);
        return crew.worked;
      })
      .toEqual(["note-0"]);
    await crew.workers.close();
  });
});

describe("what BullMQ notes of each job's course", () => {
  it("does not pile up in Redis: nobody listens to it", async () => {
    const crew = await startCrew();
    const ids = Array.from({ length: 400 }, (_, index) => `urgent-${index}`);
    // One by one: each is an envelope, and a job, of its own.
    for (const id of ids) await queues.enqueue([waiting(id, "urgent")]);
    await expect.poll(() => new Set(crew.worked).size).toBe(ids.length);

    const name = queueNameOf("websocket", "urgent", 0);
    const length = await store.redis.xlen(`${queuePrefix(store.keyspace, name)}:${name}:events`);
    expect(length).toBeGreaterThan(0);
    // It is cut by whole nodes of 100 entries.
    expect(length).toBeLessThanOrEqual(200);
  });
});
