/** What is due is queued again if it was lost, and left alone while it waits its turn. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createDuePoller } from "../../src/queue/due-poller.ts";
import { queueNameOf } from "../../src/queue/lanes.ts";
import { MAX_COUNTED } from "../../src/queue/list-census.ts";
import { itemsKey } from "../../src/queue/ordered-list.ts";
import { createReminder } from "../../src/queue/reminder.ts";
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

  it("is queued whatever else waits, where its queue keeps no order", async () => {
    await queues.enqueue([waiting("a", "urgent")]);
    await remind([waiting("a", "urgent"), waiting("b", "urgent")]);
    expect(await queues.waiting()).toBe(2);
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
