/** Keeps this process's clock on Redis' time, which all processes share. */
import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { mastersOf } from "./redis-cluster.ts";
import type { Redis } from "./redis.ts";
import type { Resources } from "./resources.ts";

const INTERVAL_MS = 30_000;

/**
 * How far Redis' clock is ahead of this machine's, in milliseconds. In a cluster the middle one of
 * the masters' clocks counts: no single machine that is off can turn everybody's.
 */
export async function offsetOf(redis: Redis): Promise<number> {
  const offsets = await Promise.all(
    mastersOf(redis).map(async (server) => {
      const askedAt = Date.now();
      const [seconds, microseconds] = await server.time();
      const here = (askedAt + Date.now()) / 2;
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
  readonly clock: Clock & { setOffset(offsetMs: number): void };
  readonly resources: Resources;
  readonly logger: Logger;
}): Promise<void> {
  const { redis, clock, resources, logger } = options;
  const synchronise = async (): Promise<void> => {
    clock.setOffset(await offsetOf(redis));
  };
  await synchronise();
  const cancel = clock.every(INTERVAL_MS, () => {
    synchronise().catch((error: unknown) => logger.debug({ err: error }, "no time from Redis"));
  });
  resources.add("clock", cancel);
}
