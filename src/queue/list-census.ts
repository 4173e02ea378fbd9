/**
 * Which notes stand in an ordered list. The due index brings up each note that has waited for 30 s,
 * also one that merely waits its turn in a long list: put there again, and again, it and its like
 * would make the list grow faster than it is worked off.
 */
import type { Clock } from "../platform/clock.ts";
import type { Redis } from "../platform/redis.ts";

export interface ListCensus {
  /** As written in the list (`writeItem`); "too many" where a list is too long to be looked through. */
  standing(): Promise<ReadonlySet<string> | "too many">;
}

/** A list no longer than this is read anew each time. */
const SHORT = 1_000;
/**
 * What was read of a longer one serves so long: 100,000 notes cost the worker 90 ms and Redis 7 ms.
 * A note that comes on the list later is not due before its lease is over, 30 s; one that was lost
 * since then comes up again.
 */
const KEEP_MS = 15_000;
/** Read at once: half a millisecond of the worker's turn. */
const CHUNK = 500;
/** Beyond this, names alone would take 10 MB for each list. */
export const MAX_COUNTED = 100_000;

/** @param key of the list */
export function createListCensus(redis: Redis, key: string, clock: Pick<Clock, "now">): ListCensus {
  let kept: { readonly standing: ReadonlySet<string>; readonly until: number } | undefined;

  /**
   * From the end, counting from there: what is taken off meanwhile moves nothing, and what is put on
   * only has some read twice. From the front, some would be missed.
   */
  async function read(): Promise<Set<string>> {
    const standing = new Set<string>();
    for (let from = 0; ; from += CHUNK) {
      const part = await redis.lrange(key, -from - CHUNK, -from - 1);
      for (const text of part) standing.add(text);
      if (part.length < CHUNK) return standing;
    }
  }

  return {
    async standing() {
      if (kept !== undefined && clock.now() < kept.until) return kept.standing;
      kept = undefined;
      if ((await redis.llen(key)) > MAX_COUNTED) return "too many";
      const standing = await read();
      if (standing.size > SHORT) kept = { standing, until: clock.now() + KEEP_MS };
      return standing;
    },
  };
}
