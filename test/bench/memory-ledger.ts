/** What the product's ledger still has to do, read from its Redis beside the product. */
import type { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import { createKeyspace } from "../../src/platform/keyspace.ts";

/** As the bench starts the product: with the defaults of `SHARDS` and `KEY_PREFIX`. */
export const benchKeyspace = createKeyspace({ shards: 16, prefix: "sb:" });

const POLL_MS = 200;
/** Without any that settles; what takes longer never will. */
const STALL_MS = 20_000;

/** How many notifications are accepted and have not come to their end. */
export async function unsettledCount(redis: Redis): Promise<number> {
  const pipeline = redis.pipeline();
  for (let shard = 0; shard < benchKeyspace.shards; shard += 1) {
    pipeline.zcard(benchKeyspace.sharded(shard, "due"));
  }
  const replies = (await pipeline.exec()) ?? [];
  return replies.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Resolves when nothing is unsettled. @throws if nothing settles for long */
export async function untilSettled(redis: Redis): Promise<void> {
  let lowest = Number.POSITIVE_INFINITY;
  let loweredAt = performance.now();
  for (;;) {
    const count = await unsettledCount(redis);
    if (count === 0) return;
    if (count < lowest) {
      lowest = count;
      loweredAt = performance.now();
    }
    if (performance.now() - loweredAt > STALL_MS) throw new Error(`${count} do not settle`);
    await delay(POLL_MS);
  }
}
