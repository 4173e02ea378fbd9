/** Waits for a Redis that is not there yet, and says so; a wrong password is a wrong setting. */
import { Cluster } from "ioredis";
import { ConfigError } from "./config.ts";
import type { Logger } from "./logger.ts";
import { connectRedis, type Redis } from "./redis.ts";
import { clusterAt, parsePlace, type RedisPlace } from "./redis-place.ts";

const SAY_EVERY_MS = 5_000;
const REFUSED_PATTERN = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH)/;

/** Where it is looked for, without the password. */
function describe(redis: Redis): string {
  if (redis instanceof Cluster) return "the cluster";
  return `Redis at ${redis.options.host ?? "localhost"}:${redis.options.port ?? 6379}`;
}

/** A cluster that no node lets us into says what the last one said. */
function causeOf(error: Error): Error {
  return "lastNodeError" in error && error.lastNodeError instanceof Error
    ? error.lastNodeError
    : error;
}

/**
 * Resolves once the connection can take commands, however long that takes.
 * @throws ConfigError if Redis refuses the user or password of `REDIS_URL`.
 */
export async function waitForRedis(redis: Redis, logger: Pick<Logger, "warn">): Promise<void> {
  if (redis.status === "ready") return;
  await new Promise<void>((resolve, reject) => {
    let saidAt = Number.NEGATIVE_INFINITY;
    const end = (settle: () => void): void => {
      redis.off("error", onError);
      redis.off("ready", onReady);
      redis.off("end", onEnd);
      settle();
    };
    const onReady = (): void => end(resolve);
    const onEnd = (): void => end(() => reject(new Error("the connection to Redis was closed")));
    const onError = (error: Error): void => {
      const reason = causeOf(error).message;
      if (REFUSED_PATTERN.test(reason)) {
        end(() => reject(new ConfigError(`REDIS_URL: ${describe(redis)} says: ${reason}`)));
      } else if (performance.now() - saidAt >= SAY_EVERY_MS) {
        saidAt = performance.now();
        logger.warn({ redis: describe(redis), reason }, "waiting for Redis");
      }
    };
    redis.on("error", onError);
    redis.on("ready", onReady);
    redis.on("end", onEnd);
  });
}

/**
 * What the addresses of `REDIS_URL` name. A single one may be a node of a cluster, or stand for all of
 * them, as hosted ones do: it is asked.
 * @param wait resolves when the connection takes commands, or rejects if it should not be waited for
 */
export async function findRedis(
  addresses: string,
  wait: (redis: Redis) => Promise<void>,
): Promise<RedisPlace> {
  const place = parsePlace(addresses);
  if (place.kind === "cluster") return place;
  const redis = connectRedis(place.url, "command");
  try {
    await wait(redis);
    const info = await redis.info("cluster");
    return info.includes("cluster_enabled:1") ? clusterAt([place.url]) : place;
  } finally {
    redis.disconnect();
  }
}
