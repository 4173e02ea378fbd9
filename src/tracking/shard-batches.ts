/** Work that is spread over the shards: one script call per shard and chunk, sums over all of them. */
import type { Redis } from "ioredis";
import type { Keyspace } from "../platform/keyspace.ts";

/** One script call handles at most so many notes: about a millisecond of Redis. */
const CHUNK = 50;

/** What a script call may span: `together`, notes of any shard; `apart`, of one, as in a cluster. */
export type Span = "together" | "apart";

export function spanOf(deps: { redis: { isCluster: boolean }; apart?: boolean | undefined }): Span {
  return (deps.apart ?? deps.redis.isCluster) ? "apart" : "together";
}

/**
 * Runs `work` on the items in chunks, `apart` for each shard; the results are in the order of
 * `items`. `work` is told the shard of the chunk's first item.
 */
export async function byShard<T, R>(
  items: readonly T[],
  shardOf: (item: T) => number,
  work: (shard: number, chunk: readonly T[]) => Promise<readonly R[]>,
  span: Span = "apart",
): Promise<R[]> {
  if (span === "together") return await inChunks(items, shardOf, work);
  const groups = Map.groupBy(
    items.map((item, index) => ({ item, index })),
    ({ item }) => shardOf(item),
  );
  const results = Array.from<R>({ length: items.length });
  const runs: Promise<void>[] = [];
  for (const [shard, group] of groups) {
    for (let from = 0; from < group.length; from += CHUNK) {
      const chunk = group.slice(from, from + CHUNK);
      runs.push(
        work(
          shard,
          chunk.map(({ item }) => item),
        ).then((replies) => {
          chunk.forEach(({ index }, at) => {
            const reply = replies[at];
            if (reply !== undefined) results[index] = reply;
          });
        }),
      );
    }
  }
  await Promise.all(runs);
  return results;
}

async function inChunks<T, R>(
  items: readonly T[],
  shardOf: (item: T) => number,
  work: (shard: number, chunk: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const runs: Promise<readonly R[]>[] = [];
  for (let from = 0; from < items.length; from += CHUNK) {
    const chunk = items.slice(from, from + CHUNK);
    const [first] = chunk;
    if (first !== undefined) runs.push(work(shardOf(first), chunk));
  }
  return (await Promise.all(runs)).flat();
}

/** Adds up one number per shard, read in one round trip. */
export async function sumOverShards(
  redis: Redis,
  keyspace: Keyspace,
  read: (pipeline: ReturnType<Redis["pipeline"]>, key: string) => unknown,
  name: string,
): Promise<number> {
  const pipeline = redis.pipeline();
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    read(pipeline, keyspace.sharded(shard, name));
  }
  let sum = 0;
  for (const [error, reply] of (await pipeline.exec()) ?? []) {
    if (error) throw error;
    sum += Number(reply ?? 0);
  }
  return sum;
}
