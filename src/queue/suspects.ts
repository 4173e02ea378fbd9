/**
 * Notes that were in hand when workers died: an envelope that stalled twice, a batch that came back
 * twice. One of them may be what kills them. So they are worked one at a time, and a note in whose
 * turn, with no other suspect beside it, three workers died is condemned; all others are delivered.
 *
 * Nothing is counted against the notes of an envelope together: an operator who kills a worker, or
 * two, does no more than to have what it had in hand worked singly.
 *
 * The count is in Redis: it is raised before a note's turn and taken back after it, whatever came of
 * it, so that what remains are deaths.
 */
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Redis } from "../platform/redis.ts";
import type { EnvelopeItem } from "./envelope.ts";
import { queuePrefix } from "./lanes.ts";
import type { createMutex } from "./mutex.ts";

/** So often a whole envelope or batch is handed out again after its worker died. */
export const DEATHS_TOGETHER = 2;
/** So many workers a note may take with it when it has its turn alone. */
export const DEATHS_ALONE = 3;

/** Longer than it takes for a few workers to be missed and started again. */
const REMEMBER_MS = 86_400_000;

const countsReply = z.array(z.string().nullable());

export interface SuspectsOptions {
  /** Its commands wait until Redis is back: a count that was raised must be taken back. */
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  /** Name of the queue. */
  readonly queue: string;
  /** Shared by all queues of the process. */
  readonly oneAtATime: ReturnType<typeof createMutex>;
  readonly process: (items: readonly EnvelopeItem[]) => Promise<void>;
  /** Ends notes that no worker survives. */
  readonly condemn: (items: readonly EnvelopeItem[]) => Promise<void>;
  readonly logger: Logger;
}

/** Works the notes; those that took no worker with them come first. Throws as `process` does. */
export type WorkSuspects = (items: readonly EnvelopeItem[]) => Promise<void>;

export function createSuspects(options: SuspectsOptions): WorkSuspects {
  const { redis, keyspace, queue, logger } = options;
  const keyOf = ({ id }: EnvelopeItem): string => `${queuePrefix(keyspace, queue)}:alone:${id}`;

  async function workAlone(item: EnvelopeItem): Promise<void> {
    const key = keyOf(item);
    await redis.multi().incr(key).pexpire(key, REMEMBER_MS).exec();
    try {
      await options.process([item]);
    } finally {
      // Back to what it was: 0 says the same as no key, and expires.
      await redis.decr(key);
    }
  }

  return async (items) => {
    logger.warn({ queue, notes: items.length }, "workers died over these notes; one at a time now");
    const counts = countsReply.parse(await redis.mget(items.map(keyOf)));
    const byDeaths = items
      .map((item, at) => ({ item, deaths: Number(counts[at] ?? 0) }))
      .toSorted((a, b) => a.deaths - b.deaths);
    let failure: { readonly error: unknown } | undefined;
    for (const { item, deaths } of byDeaths) {
      try {
        if (deaths >= DEATHS_ALONE) {
          await options.condemn([item]);
          await redis.del(keyOf(item));
        } else await options.oneAtATime(() => workAlone(item));
      } catch (error) {
        // One that fails must not keep the others from their turn; the due index brings it up.
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  };
}
