/** Redis as a command needs it: the service's own, now or not at all. */
import { createSystemClock, type Clock } from "../platform/clock.ts";
import { offsetOf } from "../platform/clock-sync.ts";
import type { Config } from "../platform/config-schema.ts";
import { findEmbeddedRedis } from "../platform/embedded-redis.ts";
import { connectCluster } from "../platform/redis-cluster.ts";
import { describePlace } from "../platform/redis-place.ts";
import { findRedis } from "../platform/redis-wait.ts";
import { createKeyspace, type Keyspace } from "../platform/keyspace.ts";
import { connectRedis, type Redis } from "../platform/redis.ts";
import { Failure } from "./run-command.ts";

export interface OperatorRedis {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  /** On Redis' time. */
  readonly clock: Clock;
}

type RedisConfig = Pick<Config, "NODE_ENV" | "REDIS_URL" | "DATA_DIR" | "KEY_PREFIX" | "SHARDS">;

/** `REDIS_URL`, or in development the Redis that `npm start` runs; undefined if there is neither. */
export async function findRedisUrl(config: RedisConfig): Promise<string | undefined> {
  if (config.REDIS_URL !== undefined || config.NODE_ENV === "production") return config.REDIS_URL;
  return await findEmbeddedRedis(config.DATA_DIR);
}

/** Now, or not at all. */
async function reach(redis: Redis): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    redis.once("ready", resolve);
    redis.once("error", reject);
  });
}

/**
 * The caller disconnects it.
 * @throws Failure if it cannot be reached at once
 */
export async function reachRedis(url: string, config: RedisConfig): Promise<OperatorRedis> {
  let redis: Redis | undefined;
  try {
    const place = await findRedis(url, reach);
    redis =
      place.kind === "cluster"
        ? connectCluster(place, "command")
        : connectRedis(place.url, "command");
    await reach(redis);
    const clock = createSystemClock();
    clock.setOffset(await offsetOf(redis, clock));
    // What the service agreed on at its first start counts, whatever is set here.
    const stored = await redis.get(`${config.KEY_PREFIX}shards`);
    const shards = stored === null ? config.SHARDS : Number(stored);
    return { redis, clock, keyspace: createKeyspace({ shards, prefix: config.KEY_PREFIX }) };
  } catch (error) {
    redis?.disconnect();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`Redis at ${describePlace(url)} cannot be reached: ${reason}`, {
      cause: error,
    });
  }
}
