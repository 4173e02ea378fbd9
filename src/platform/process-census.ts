/**
 * Which processes live, and what each can read and say: told to Redis, so that old and new versions
 * side by side know of each other. It also shows when Redis came back with older data than it had:
 * then what this process told of itself is no longer there.
 */
import type { Redis } from "./redis.ts";
import { z } from "zod";
import type { Cancel, Clock } from "./clock.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Logger } from "./logger.ts";

const TELL_MS = 5_000;
/**
 * Long, as it is only for those that ended without a goodbye: one that stood still, or was cut off from
 * Redis, must not meet what others began to write because they took it for dead.
 */
const GONE_MS = 300_000;

const entrySchema = z.object({
  /** The newest form of the ledger that it reads. */
  reads: z.number().int(),
  version: z.string(),
  /** A digest of all that decides what it can put into words: two that differ may differ in that. */
  abilities: z.string(),
  /** Raised with each telling. */
  beat: z.number().int(),
  /** Epoch ms. */
  at: z.number(),
});
export type ProcessEntry = z.infer<typeof entrySchema>;

export interface ProcessCensus {
  /** Tells of this process, and from then on regularly. Rejects while Redis is away. */
  announce(abilities: string): Promise<void>;
  /** All that live, this one included. Rejects while Redis is away. */
  living(): Promise<readonly ProcessEntry[]>;
  /** Whether a process with other abilities lives. True while Redis does not say. */
  isMixed(): Promise<boolean>;
  /** Says goodbye. */
  close(): Promise<void>;
}

export interface ProcessCensusOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "warn" | "error">;
  readonly nodeId: string;
  readonly reads: number;
  readonly version: string;
  /** After each telling but the first. */
  readonly onTold?: () => Promise<void>;
  /** Redis came back as it was at this time (epoch ms); undefined: it knows nothing of this process. */
  readonly onRewound?: (survived: number | undefined) => void;
}

const keyOf = (keyspace: Pick<Keyspace, "plain">): string => keyspace.plain("processes");

function parseEntry(text: string): ProcessEntry {
  return entrySchema.parse(JSON.parse(text));
}

/** All that ever told and did not say goodbye, the dead ones included, by their names. */
export async function readProcessEntries(deps: {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
}): Promise<ReadonlyMap<string, ProcessEntry>> {
  const fields = Object.entries(await deps.redis.hgetall(keyOf(deps.keyspace)));
  return new Map(fields.map(([node, text]) => [node, parseEntry(text)]));
}

export function createProcessCensus(options: ProcessCensusOptions): ProcessCensus {
  const { redis, keyspace, clock, logger, nodeId } = options;
  const key = keyOf(keyspace);
  let abilities = "";
  let beat = 0;
  let told: { readonly beat: number; readonly at: number } | undefined;
  let cancel: Cancel | undefined;
  let closed = false;

  async function tell(): Promise<void> {
    const before = await redis.hget(key, nodeId);
    // What is told behind the goodbye would stand there for five minutes.
    if (closed) return;
    look(before === null ? undefined : parseEntry(before));
    beat += 1;
    const { reads, version } = options;
    const entry: ProcessEntry = { reads, version, abilities, beat, at: clock.now() };
    await redis.hset(key, nodeId, JSON.stringify(entry));
    told = entry;
  }

  /** What lies there is what was told last, unless Redis lost it. */
  function look(found: ProcessEntry | undefined): void {
    if (told === undefined || (found?.beat ?? 0) >= told.beat) return;
    // After so long without a word others may have taken it away.
    if (found === undefined && clock.now() - told.at > GONE_MS / 2) return;
    const survived = found?.at;
    logger.error({ survived, told: told.at }, "redis.rewound");
    options.onRewound?.(survived);
  }

  async function tellAgain(): Promise<void> {
    try {
      await tell();
      await options.onTold?.();
    } catch (error) {
      // Redis is away, which health says anyway; the next telling is soon.
      logger.warn({ err: error }, "the census of processes was not told");
    }
  }

  async function living(): Promise<readonly ProcessEntry[]> {
    const entries = [...(await readProcessEntries(options))];
    const gone = entries.filter(([, { at }]) => clock.now() - at > GONE_MS).map(([node]) => node);
    if (gone.length > 0) await redis.hdel(key, ...gone);
    return entries.filter(([node]) => !gone.includes(node)).map(([, entry]) => entry);
  }

  return {
    living,

    async announce(now) {
      abilities = now;
      await tell();
      if (!closed) cancel ??= clock.every(TELL_MS, () => void tellAgain());
    },

    async isMixed() {
      try {
        return (await living()).some((entry) => entry.abilities !== abilities);
      } catch {
        return true;
      }
    },

    async close() {
      closed = true;
      cancel?.();
      // Redis may be away by then; in five minutes nobody remembers.
      await redis.hdel(key, nodeId).catch(() => 0);
    },
  };
}
