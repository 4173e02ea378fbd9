/**
 * Queues what the due index brought up, but not what merely waits its turn in a long queue.
 *
 * It brings up each note that nobody has touched for as long as a lease lasts. Where those of a
 * provider's queue wait for longer, because it is slow or there are many, each round would queue all of
 * them once more: with 100,000 notes 10,000 envelopes every 30 s. What stands in an ordered list can be
 * looked up. What is in envelopes cannot, for little money; so such a queue is only filled up to a
 * length, with what it works off in a moment, and everything else waits in the due index.
 */
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";
import { ENVELOPE_SIZE, writeItem } from "./envelope.ts";
import { queueNameOf, STAGE_QUEUES, waitingEnvelopesKey } from "./lanes.ts";
import { createListCensus, type ListCensus } from "./list-census.ts";
import { itemsKey } from "./ordered-list.ts";
import type { Waiting } from "./stage-queues.ts";

export interface ReminderOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Pick<Clock, "now">;
  readonly enqueue: (items: readonly Waiting[]) => Promise<void>;
}

/**
 * Envelopes that wait in a queue which is still filled up. A worker with ten pushes of 100 ms at once
 * gets through as many in ten seconds: where fewer wait, none waits for as long as a lease lasts.
 */
export const FULL_QUEUE = 1_000;

/** What is left out comes up again when its lease is over. Rejects if Redis is away. */
export function createReminder(
  options: ReminderOptions,
): (items: readonly Waiting[]) => Promise<void> {
  const { redis, keyspace, clock, enqueue } = options;
  const censuses = new Map<string, ListCensus>();
  for (const { name, ordered } of STAGE_QUEUES) {
    if (ordered) censuses.set(name, createListCensus(redis, itemsKey(keyspace, name), clock));
  }
  const nameOf = ({ stage, lane, userId }: Waiting): string =>
    queueNameOf(stage, lane, keyspace.shardOfUser(userId));

  /** What is not in the list, as far as can be told. */
  async function absentFrom(
    census: ListCensus,
    group: readonly Waiting[],
  ): Promise<readonly Waiting[]> {
    const standing = await census.standing();
    if (standing === "too many") return [];
    return group.filter((one) => !standing.has(writeItem(one)));
  }

  /** As much as fits into the queue. */
  async function fitting(name: string, group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const [first] = group;
    if (first === undefined) return [];
    const room = FULL_QUEUE - (await redis.llen(waitingEnvelopesKey(keyspace, name)));
    return room <= 0 ? [] : group.slice(0, room * ENVELOPE_SIZE[first.stage]);
  }

  async function remind(name: string, group: readonly Waiting[]): Promise<void> {
    const census = censuses.get(name);
    const wanted = await (census === undefined ? fitting(name, group) : absentFrom(census, group));
    if (wanted.length > 0) await enqueue(wanted);
  }

  return async (items) => {
    // Queues side by side: what is urgent has no list, and waits for no look at one.
    const groups = Map.groupBy(items, nameOf);
    await Promise.all([...groups].map(([name, group]) => remind(name, group)));
  };
}
