/** Redis as a command needs it: the service's own, now or not at all. */
import type { Redis } from "ioredis";
import { createSystemClock, type Clock } from "../platform/clock.ts";
import type { Config } from "../platform/config-schema.ts";
import { findEmbeddedRedis } from "../platform/embedded-redis.ts";
import { createKeyspace, type Keyspace } from "../platform/keyspace.ts";
import { connectRedis } from "../platform/redis.ts";
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

/**
 * The caller disconnects it.
 * @throws Failure if it cannot be reached at once
 */
export async function reachRedis(url: string, config: RedisConfig): Promise<OperatorRedis> {
  const redis = connectRedis(url, "command");
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once("ready", resolve);
      redis.once("error", reject);
    });
    const clock = createSystemClock();
    const [seconds, microseconds] = await redis.time();
    clock.setOffset(Number(seconds) * 1_000 + Number(microseconds) / 1_000 - Date.now());
    // What the service agreed on at its first start counts, whatever is set here.
    const stored = await redis.get(`${config.KEY_PREFIX}shards`);
    const shards = stored === null ? config.SHARDS : Number(stored);
    return { redis, clock, keyspace: createKeyspace({ shards, prefix: config.KEY_PREFIX }) };
  } catch (error) {
    redis.disconnect();
    const { host = "localhost", port = 6379 } = redis.options;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`Redis at ${host}:${port} cannot be reached: ${reason}`, { cause: error });
  }
}
