/** Queues what the due index brought up, but not what merely waits its turn in a long list. */
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";
import { writeItem } from "./envelope.ts";
import { queueNameOf, STAGE_QUEUES } from "./lanes.ts";
import { createListCensus, type ListCensus } from "./list-census.ts";
import { itemsKey } from "./ordered-list.ts";
import type { Waiting } from "./stage-queues.ts";

export interface ReminderOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Pick<Clock, "now">;
  readonly enqueue: (items: readonly Waiting[]) => Promise<void>;
}

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

  async function enqueueAbsent(name: string, group: readonly Waiting[]): Promise<void> {
    const standing = await censuses.get(name)?.standing();
    if (standing === "too many") return;
    const absent =
      standing === undefined ? group : group.filter((one) => !standing.has(writeItem(one)));
    if (absent.length > 0) await enqueue(absent);
  }

  return async (items) => {
    // Queues side by side: what is urgent has no list, and waits for no look at one.
    const groups = Map.groupBy(items, nameOf);
    await Promise.all([...groups].map(([name, group]) => enqueueAbsent(name, group)));
  };
}
