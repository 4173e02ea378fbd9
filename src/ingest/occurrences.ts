/**
 * One occurrence, told by two kinds of event, rings once. A service's teacher event and the
 * notification that a projector makes of the domain event behind it meet here: whichever kind came
 * first rings, and the first event of the other kind is dropped. A second event of one kind always
 * rings: it tells of something that the first did not.
 *
 * Nothing is lost and no pair rings twice, wherever the process dies:
 * - What is kept of an occurrence is written once, and read in the same script. So an event gets the
 *   same answer each time it is delivered, by whichever process and however late.
 * - The claim comes after everything that may refuse the event, and before its note. An event that
 *   rings and dies in between holds the place of its kind, and is delivered again (its offset is not
 *   committed), gets the same answer, and creates its note under the id its event id is bound to.
 *   So what the other kind's event gave way to does ring.
 * - Of a pair the kinds differ, so only one of the two can be of the kind that came first.
 */
import { hash } from "node:crypto";
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { loadScript, type Redis } from "../platform/redis.ts";
import { byShard, spanOf } from "../tracking/shard-batches.ts";

/** As long as an event id is remembered. */
const OCCURRENCE_SECONDS = 7 * 86_400;

/** Which kind of event tells of it: one a projector made of a domain event, or a service's own. */
export type OccurrenceKind = "domain" | "teacher";

export interface OccurrenceEvent {
  readonly userId: string;
  /** Templates of one family tell of the same kinds of occurrence. */
  readonly dedupeFamily: string;
  /** What both kinds of event name: the id of the domain event. */
  readonly correlationId: string;
  readonly kind: OccurrenceKind;
  readonly eventId: string;
}

export interface Occurrences {
  /** Whether each event rings, in the order given. */
  claim(events: readonly OccurrenceEvent[]): Promise<boolean[]>;
}

const flags = z.array(z.number());

export function createOccurrences(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
}): Occurrences {
  const { redis, keyspace } = deps;
  const run = loadScript(redis, "claim_occurrences", [
    new URL("lua/claim-occurrences.lua", import.meta.url),
  ]);

  const span = spanOf(deps);

  // The shard is the user's, so that in a cluster, too, one call decides on many of them.
  const keyOf = ({ userId, dedupeFamily, correlationId }: OccurrenceEvent): string => {
    const occurrence = JSON.stringify([userId, dedupeFamily, correlationId]);
    const name = `occurrence:${hash("sha256", occurrence, "hex")}`;
    return keyspace.sharded(keyspace.shardOfUser(userId), name);
  };

  return {
    claim: (events) =>
      byShard(
        events,
        ({ userId }) => keyspace.shardOfUser(userId),
        async (_shard, chunk) => {
          const keys = chunk.map(keyOf);
          const args = chunk.flatMap(({ kind, eventId }) => [kind, eventId]);
          const reply = flags.parse(await run(keys, [OCCURRENCE_SECONDS, ...args]));
          return reply.map((flag) => flag === 1);
        },
        span,
      ),
  };
}
