/** What is due is queued again if it was lost, and left alone while it waits its turn. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createDuePoller } from "../../src/queue/due-poller.ts";
import { queueNameOf } from "../../src/queue/lanes.ts";
import { MAX_COUNTED } from "../../src/queue/list-census.ts";
import { itemsKey } from "../../src/queue/ordered-list.ts";
import { createReminder, FULL_QUEUE } from "../../src/queue/reminder.ts";
import { createStageQueues, type StageQueues, type Waiting } from "../../src/queue/stage-queues.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;
let queues: StageQueues;
let clock: ManualClock;
let remind: (items: readonly Waiting[]) => Promise<void>;
let list: string;

beforeEach(async () => {
  store = await openTestRedis();
  const { redis, keyspace } = store;
  clock = createManualClock();
  queues = createStageQueues({ redis, keyspace });
  remind = createReminder({ redis, keyspace, clock, enqueue: (items) => queues.enqueue(items) });
  list = itemsKey(keyspace, queueNameOf("websocket", "bulk", keyspace.shardOfUser("one-user")));
});
afterEach(async () => {
  await queues.close();
  await store.close();
});

const waiting = (id: string, lane: Waiting["lane"] = "bulk"): Waiting => ({
  id,
  userId: "one-user",
  stage: "websocket",
  lane,
  attempt: 0,
});
const numbered = (from: number, to: number): Waiting[] =>
  Array.from({ length: to - from }, (_, index) => waiting(`note-${from + index}`));

describe("a note that is due", () => {
  it.each([
    ["short", 5],
    ["long", 2_500],
  ])("is left in a %s list that it stands in, and queued if it does not", async (_, length) => {
    await queues.enqueue(numbered(0, length));
    await remind([waiting("note-0"), waiting("lost"), waiting(`note-${length - 1}`)]);
    expect(await store.redis.llen(list)).toBe(length + 1);
    expect(await store.redis.lindex(list, -1)).toBe("lost 0");
  });

  it("is queued again once it has left the list unworked", async () => {
    await queues.enqueue(numbered(0, 2_500));
    await remind([waiting("note-0")]);
    await store.redis.lpop(list);
    clock.advance(30_000);
    await remind([waiting("note-0")]);
    expect(await store.redis.lindex(list, -1)).toBe("note-0 0");
  });

  it("waits until a list that is too long to be looked through has become shorter", async () => {
    for (let from = 0; from <= MAX_COUNTED; from += 10_000) {
      await queues.enqueue(numbered(from, from + 10_000));
    }
    const length = await store.redis.llen(list);
    await remind([waiting("lost")]);
    expect(await store.redis.llen(list)).toBe(length);
    await store.redis.ltrim(list, 0, 9);
    await remind([waiting("lost")]);
    expect(await store.redis.lindex(list, -1)).toBe("lost 0");
  });

  it("is queued once more where its queue keeps no order and is short", async () => {
    await queues.enqueue([waiting("a", "urgent")]);
    await remind([waiting("a", "urgent"), waiting("b", "urgent")]);
    expect(await queues.waiting()).toBe(2);
  });
});

describe("a provider's queue that is not worked off", () => {
  const push = (index: number): Waiting => ({ ...waiting(`note-${index}`), stage: "push" });
  const pushes = (count: number): Waiting[] =>
    Array.from({ length: count }, (_, index) => push(index));
  /** As long as a push service is away, and longer than a lease lasts: all notes are due each time. */
  const ROUNDS = 5;

  async function remindAll(notes: readonly Waiting[]): Promise<void> {
    for (let from = 0; from < notes.length; from += 800)
      await remind(notes.slice(from, from + 800));
  }

  it("has no more envelopes after 20,000 notes were due again and again", async () => {
    const notes = pushes(20_000);
    await queues.enqueue(notes);
    expect(await queues.waiting()).toBe(2_000);
    for (let round = 0; round < ROUNDS; round += 1) await remindAll(notes);
    expect(await queues.waiting()).toBe(2_000);
  });

  it("is filled up to a length with what was only in the due index", async () => {
    const notes = pushes(20_000);
    for (let round = 0; round < ROUNDS; round += 1) await remindAll(notes);
    expect(await queues.waiting()).toBe(FULL_QUEUE);
  });

  it("takes text messages, one to an envelope, up to the same length", async () => {
    const notes = pushes(3_000).map((note) => ({ ...note, stage: "sms" as const }));
    await remindAll(notes);
    expect(await queues.waiting()).toBe(FULL_QUEUE);
  });

  it("does not keep what is urgent waiting", async () => {
    await queues.enqueue(pushes(20_000));
    await remind([{ ...push(0), lane: "urgent" }]);
    expect(await queues.waiting()).toBe(2_001);
  });
});

describe("a look at the due index", () => {
  function pollerOver(due: Map<number, Waiting[]>, shards: number) {
    const queued: Waiting[] = [];
    const sizes: number[] = [];
    const poller = createDuePoller({
      index: {
        async leaseDue(shard, _leaseMs, limit) {
          const leased = due.get(shard)?.splice(0, limit) ?? [];
          sizes.push(leased.length);
          return leased;
        },
      },
      enqueue: async (items) => {
        queued.push(...items);
      },
      shards,
      clock,
      intervalMs: 250,
      leaseMs: 30_000,
      logger: createSilentLogger(),
    });
    return { poller, queued, sizes };
  }

  it("brings up what is due on every shard", async () => {
    const due = new Map([
      [0, [waiting("a")]],
      [6, [waiting("b"), waiting("c")]],
    ]);
    const { poller, queued } = pollerOver(due, 7);
    expect(await poller.poll()).toBe(3);
    expect(queued.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(await poller.poll()).toBe(0);
  });

  it.each([1, 16, 256])("takes a bounded part of a backlog, with %i shards", async (shards) => {
    const due = new Map(Array.from({ length: shards }, (_, shard) => [shard, numbered(0, 1_000)]));
    const { poller, queued, sizes } = pollerOver(due, shards);
    const count = await poller.poll();
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(2_560);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
    expect(new Set(sizes).size).toBe(1);
    expect(queued.length).toBe(count);
  });
});
