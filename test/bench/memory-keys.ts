/** What lies in Redis, by kind of key: how many there are and what they take. */
import type { Redis } from "ioredis";
import { benchKeyspace } from "./memory-ledger.ts";

const SCAN_COUNT = 2_000;

export interface Kind {
  readonly keys: number;
  readonly bytes: number;
}

/** `used_memory`: what Redis has handed out, without what the allocator keeps in reserve. */
export async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}

/** By Redis' own `MEMORY USAGE` of every single key; nothing is estimated from samples. */
export async function memoryByKind(redis: Redis): Promise<Map<string, Kind>> {
  const kinds = new Map<string, Kind>();
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "COUNT", SCAN_COUNT);
    cursor = next;
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.memory("USAGE", key, "SAMPLES", 0);
    const replies = (await pipeline.exec()) ?? [];
    keys.forEach((key, at) => {
      const kind = kindOf(key, benchKeyspace.prefix);
      const { keys: count, bytes } = kinds.get(kind) ?? { keys: 0, bytes: 0 };
      // A key that ran out meanwhile takes nothing.
      kinds.set(kind, { keys: count + 1, bytes: bytes + Number(replies[at]?.[1] ?? 0) });
    });
  } while (cursor !== "0");
  return kinds;
}

/** `sb:{s3}:hist:teacher-1` is of kind `hist`, everything of BullMQ's and beside it `queue`. */
export function kindOf(key: string, prefix: string): string {
  const own = key.startsWith(prefix) ? key.slice(prefix.length) : key;
  if (own.startsWith("{") && !/^\{s\d+\}:/.test(own)) return "queue";
  return /^(?:\{s\d+\}:)?([^:]*)/.exec(own)?.[1] ?? own;
}
