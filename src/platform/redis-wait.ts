/** Waits for a Redis that is not there yet, and says so; a wrong password is a wrong setting. */
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "ioredis";
import { ConfigError } from "./config.ts";
import type { Logger } from "./logger.ts";
import { mastersOf } from "./redis-cluster.ts";
import { connectRedis, type Redis } from "./redis.ts";
import { clusterAt, parsePlace, type RedisPlace } from "./redis-place.ts";

const SAY_EVERY_MS = 5_000;
const LOOK_MS = 200;
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

/** Says what is waited for, now and every five seconds. */
function createSay(redis: Redis, logger: Pick<Logger, "warn">): (reason: string) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (reason) => {
    if (performance.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = performance.now();
    logger.warn({ redis: describe(redis), reason }, "waiting for Redis");
  };
}

/**
 * Resolves once the connection can take commands, however long that takes.
 * @throws ConfigError if Redis refuses the user or password of `REDIS_URL`.
 */
export async function waitForRedis(redis: Redis, logger: Pick<Logger, "warn">): Promise<void> {
  if (redis.status === "ready") return;
  const say = createSay(redis, logger);
  await new Promise<void>((resolve, reject) => {
    // A cluster that does not serve all slots is tried again and again without an error.
    const timer = setInterval(() => say("it is not ready"), SAY_EVERY_MS / 2);
    const end = (settle: () => void): void => {
      clearInterval(timer);
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
      } else say(reason);
    };
    redis.on("error", onError);
    redis.on("ready", onReady);
    redis.on("end", onEnd);
  });
}

/**
 * Resolves once each master of a cluster says that all is served: that one does is enough for the
 * connection, and the first command that another gets would end a process that starts.
 * @param redis of kind `command`
 */
export async function waitForMasters(redis: Redis, logger: Pick<Logger, "warn">): Promise<void> {
  if (!(redis instanceof Cluster)) return;
  const say = createSay(redis, logger);
  for (;;) {
    const masters = mastersOf(redis);
    const states = await Promise.allSettled(masters.map((server) => server.cluster("INFO")));
    const isServed = states.every(
      (state) => state.status === "fulfilled" && state.value.includes("cluster_state:ok"),
    );
    if (isServed && masters.length > 0) return;
    say("not every master is there, or not every slot is served");
    await delay(LOOK_MS);
  }
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
