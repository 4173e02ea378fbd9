/** What Redis holds, with what is kept by design told apart from all else. */
import type { Redis } from "ioredis";
import { memoryByKind, type Kind } from "../bench/memory-keys.ts";

/**
 * Kinds of key that grow for longer than a soak lasts, and why that is no leak. Everything else,
 * notes included (`NOTE_TTL_SECONDS`), has to stand still.
 */
export const KEPT_KINDS: Readonly<Record<string, string>> = {
  idem: "claimed keys, 24 h",
  event: "known event ids, 7 days",
  occurrence: "what happened, 7 days",
  audit: "100,000 to 200,000 lines a shard",
  "audit-lines": "one a shard",
  "audit-marks": "101 a shard",
  refusals: "10,000 a shard",
};

/** Counted twice: by `MEMORY USAGE` of a key, and with the tables of all keys (Redis 7.0, 64 bit). */
const ENTRY_BYTES = 40;

export interface RedisOutside {
  readonly usedBytes: number;
  readonly rssBytes: number;
  readonly datasetBytes: number;
  readonly keys: number;
  readonly clients: number;
  /** Buffers of those clients. */
  readonly clientBytes: number;
}

export interface RedisInside {
  readonly usedBytes: number;
  /** The tables that all keys hang in; they double now and then. */
  readonly tableBytes: number;
  readonly kinds: Readonly<Record<string, Kind>>;
}

const numberOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)?.[1]);

export async function seenAtOnce(redis: Redis): Promise<RedisOutside> {
  const info = await redis.info("memory", "clients");
  return {
    usedBytes: numberOf(info, "used_memory"),
    rssBytes: numberOf(info, "used_memory_rss"),
    datasetBytes: numberOf(info, "used_memory_dataset"),
    keys: await redis.dbsize(),
    clients: numberOf(info, "connected_clients"),
    clientBytes: numberOf(info, "mem_clients_normal"),
  };
}

/** Looks at every key. */
export async function lookInside(redis: Redis): Promise<RedisInside> {
  const kinds = Object.fromEntries(await memoryByKind(redis));
  const stats = await redis.call("MEMORY", "STATS");
  const tables = Array.isArray(stats) ? stats[stats.indexOf("db.0") + 1] : undefined;
  const table = (name: string): number =>
    Array.isArray(tables) ? Number(tables[tables.indexOf(name) + 1]) : Number.NaN;
  return {
    usedBytes: numberOf(await redis.info("memory"), "used_memory"),
    tableBytes: table("overhead.hashtable.main") + table("overhead.hashtable.expires"),
    kinds,
  };
}

/** Bytes of all that ought to stand still: what is in use without what is kept by design. */
export function restBytes({ usedBytes, tableBytes, kinds }: RedisInside): number {
  return Object.entries(kinds)
    .filter(([kind]) => kind in KEPT_KINDS)
    .reduce(
      (left, [, { bytes, keys }]) => left - (bytes - keys * ENTRY_BYTES),
      usedBytes - tableBytes,
    );
}
