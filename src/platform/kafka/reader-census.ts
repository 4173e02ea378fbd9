/**
 * Which processes read events from Kafka, and how they are doing: told to Redis, so that `/health`
 * of any process can say whether events are read at all.
 */
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Keyspace } from "../keyspace.ts";
import type { Redis } from "../redis.ts";

/** `paused`: connected, but what it reads cannot be stored, so it waits. */
export const READER_STATES = ["reading", "paused", "connecting"] as const;
export type ReaderState = (typeof READER_STATES)[number];

const CENSUS_KEY = "readers";
const TELL_MS = 5_000;
/** Three missed tellings: the process is gone. */
const STALE_MS = 15_000;

const entrySchema = z.object({ role: z.string(), state: z.enum(READER_STATES), at: z.number() });

/** Tells about one reader of this process until it is closed. */
export function createReaderTelling(deps: {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly role: "ingest" | "projector";
  readonly state: () => ReaderState;
}): { start(): Promise<void>; close(): Promise<void> } {
  const { redis, keyspace, clock, nodeId, role, state } = deps;
  const key = keyspace.plain(CENSUS_KEY);
  const field = `${nodeId} ${role}`;
  let cancel = (): void => {};

  async function tell(): Promise<void> {
    try {
      await redis.hset(key, field, JSON.stringify({ role, state: state(), at: clock.now() }));
    } catch {
      // Redis is away, which health says anyway; the next telling is soon.
    }
  }

  return {
    async start() {
      await tell();
      cancel = clock.every(TELL_MS, () => void tell());
    },
    async close() {
      cancel();
      // Redis may be away by then: whoever reads takes away what nobody tells of any more.
      await redis.hdel(key, field).catch(() => 0);
    },
  };
}

/**
 * The worst state of each role's living readers; a role that nobody has is absent.
 * @throws when Redis does not answer.
 */
export async function readReaderCensus(deps: {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Pick<Clock, "now">;
}): Promise<ReadonlyMap<string, ReaderState>> {
  const { redis, keyspace, clock } = deps;
  const key = keyspace.plain(CENSUS_KEY);
  const entries = Object.entries(await redis.hgetall(key)).map(([field, text]) => ({
    field,
    ...entrySchema.parse(JSON.parse(text)),
  }));
  const isLiving = ({ at }: { at: number }): boolean => clock.now() - at <= STALE_MS;
  // A killed process cannot remove its own entry, so that whoever reads tidies up.
  const gone = entries.filter((entry) => !isLiving(entry)).map(({ field }) => field);
  if (gone.length > 0) await redis.hdel(key, ...gone);

  const census = new Map<string, ReaderState>();
  for (const { role, state } of entries.filter(isLiving)) {
    const known = census.get(role);
    const worse =
      known === undefined || READER_STATES.indexOf(state) > READER_STATES.indexOf(known);
    if (worse) census.set(role, state);
  }
  return census;
}
