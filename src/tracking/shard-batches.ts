/** Work that is spread over the shards: one script call per shard and chunk, sums over all of them. */
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis, type Words } from "../platform/redis.ts";

/** One script call handles at most so many notes: about a millisecond of Redis. */
const CHUNK = 50;

/** What a script call may span: `together`, notes of any shard; `apart`, of one, as in a cluster. */
export type Span = "together" | "apart";

export function spanOf(deps: { redis: { isCluster: boolean }; apart?: boolean | undefined }): Span {
  return (deps.apart ?? deps.redis.isCluster) ? "apart" : "together";
}

interface Placed<T> {
  readonly item: T;
  readonly index: number;
  readonly shard: number;
}

/**
 * Runs `work` on the items in chunks, `apart` for each shard; the results are in the order of
 * `items`, and so are the items of a shard. `work` is told the shard of the chunk's first item.
 */
export async function byShard<T, R>(
  items: readonly T[],
  shardOf: (item: T) => number,
  work: (shard: number, chunk: readonly T[]) => Promise<readonly R[]>,
  span: Span = "apart",
): Promise<R[]> {
  const [first] = items;
  if (first === undefined) return [];
  if (span === "together" && items.length <= CHUNK) return [...(await work(shardOf(first), items))];
  const results = Array.from<R>({ length: items.length });
  await Promise.all(
    chunksOf(items, shardOf, span).map(async (chunk) => {
      const replies = await work(
        chunk[0]?.shard ?? 0,
        chunk.map(({ item }) => item),
      );
      chunk.forEach(({ index }, at) => {
        const reply = replies[at];
        if (reply !== undefined) results[index] = reply;
      });
    }),
  );
  return results;
}

/** By shard also where one call may take several: what a script writes for each shard is less then. */
function chunksOf<T>(items: readonly T[], shardOf: (item: T) => number, span: Span): Placed<T>[][] {
  const placed = items.map((item, index) => ({ item, index, shard: shardOf(item) }));
  const chunks: Placed<T>[][] = [];
  let open: Placed<T>[] = [];
  for (const one of placed.toSorted((a, b) => a.shard - b.shard)) {
    const mayJoin = span === "together" || open[0]?.shard === one.shard;
    if (open.length === 0 || open.length === CHUNK || !mayJoin) chunks.push((open = []));
    open.push(one);
  }
  return chunks;
}

/** Adds up one number per shard, read in one round trip. */
export async function sumOverShards(
  redis: Redis,
  keyspace: Keyspace,
  read: (key: string) => Words,
  name: string,
): Promise<number> {
  const keys = Array.from({ length: keyspace.shards }, (_, shard) => keyspace.sharded(shard, name));
  const replies = await runForEach(redis, keys, read);
  return replies.reduce<number>((sum, reply) => sum + Number(reply ?? 0), 0);
}
