/** Keeps this process's clock on Redis' time, which all processes share. */
import type { SystemClock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { mastersOf } from "./redis-cluster.ts";
import type { Redis } from "./redis.ts";
import type { Resources } from "./resources.ts";

const INTERVAL_MS = 30_000;

/**
 * How far Redis' clock is ahead of what this process reckons, in milliseconds. Not of the machine's
 * clock: when that is set back by an hour, the process would go an hour fast from the next look on.
 * In a cluster the middle one of the masters' clocks counts: no single machine that is off can turn
 * everybody's.
 */
export async function offsetOf(
  redis: Redis,
  clock: Pick<SystemClock, "reckoned">,
): Promise<number> {
  const offsets = await Promise.all(
    mastersOf(redis).map(async (server) => {
      const askedAt = clock.reckoned();
      const [seconds, microseconds] = await server.time();
      const here = (askedAt + clock.reckoned()) / 2;
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000 - here;
    }),
  );
  const middle = offsets.toSorted((a, b) => a - b)[Math.floor(offsets.length / 2)];
  if (middle === undefined) throw new Error("Connection is closed.");
  return middle;
}

/** Sets the offset now and every 30 s. Rejects if Redis does not answer the first time. */
export async function keepClockOnRedisTime(options: {
  readonly redis: Redis;
  readonly clock: SystemClock;
  readonly resources: Resources;
  readonly logger: Logger;
}): Promise<void> {
  const { redis, clock, resources, logger } = options;
  const synchronise = async (): Promise<void> => {
    clock.setOffset(await offsetOf(redis, clock));
  };
  await synchronise();
  const cancel = clock.every(INTERVAL_MS, () => {
    synchronise().catch((error: unknown) => logger.debug({ err: error }, "no time from Redis"));
  });
  resources.add("clock", cancel);
}
