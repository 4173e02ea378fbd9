/** Waits for a Redis that is not there yet, and says so; a wrong password is a wrong setting. */
import type { Redis } from "ioredis";
import { ConfigError } from "./config.ts";
import type { Logger } from "./logger.ts";

const SAY_EVERY_MS = 5_000;
const REFUSED_PATTERN = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH)/;

/** Where it is looked for, without the password. */
function placeOf(redis: Redis): string {
  return `${redis.options.host ?? "localhost"}:${redis.options.port ?? 6379}`;
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
      if (REFUSED_PATTERN.test(error.message)) {
        end(() =>
          reject(new ConfigError(`REDIS_URL: Redis at ${placeOf(redis)} says: ${error.message}`)),
        );
      } else if (performance.now() - saidAt >= SAY_EVERY_MS) {
        saidAt = performance.now();
        logger.warn({ redis: placeOf(redis), reason: error.message }, "waiting for Redis");
      }
    };
    redis.on("error", onError);
    redis.on("ready", onReady);
    redis.on("end", onEnd);
  });
}
