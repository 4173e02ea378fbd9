/** How many notes stand in the ordered lists, all together: nearly everything that waits in a heap. */
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import { STAGE_QUEUES } from "./lanes.ts";
import { itemsKey } from "./ordered-list.ts";

/** One round trip for each call of what it returns. */
export function createListDepth(redis: Redis, keyspace: Keyspace): () => Promise<number> {
  const keys = STAGE_QUEUES.filter(({ ordered }) => ordered).map(({ name }) =>
    itemsKey(keyspace, name),
  );
  return async () => {
    const lengths = await runForEach(redis, keys, (key) => ["LLEN", key]);
    return lengths.reduce<number>((sum, length) => sum + Number(length), 0);
  };
}
