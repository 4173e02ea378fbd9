/** Keeps this process's clock on Redis' time, which all processes share. */
import type { Redis } from "ioredis";
import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import type { Resources } from "./resources.ts";

const INTERVAL_MS = 30_000;

/** Sets the offset now and every 30 s. Rejects if Redis does not answer the first time. */
export async function keepClockOnRedisTime(options: {
  readonly redis: Redis;
  readonly clock: Clock & { setOffset(offsetMs: number): void };
  readonly resources: Resources;
  readonly logger: Logger;
}): Promise<void> {
  const { redis, clock, resources, logger } = options;
  const synchronise = async (): Promise<void> => {
    const askedAt = Date.now();
    const [seconds, microseconds] = await redis.time();
    const here = (askedAt + Date.now()) / 2;
    clock.setOffset(Number(seconds) * 1_000 + Number(microseconds) / 1_000 - here);
  };
  await synchronise();
  const cancel = clock.every(INTERVAL_MS, () => {
    synchronise().catch((error: unknown) => logger.debug({ err: error }, "no time from Redis"));
  });
  resources.add("clock", cancel);
}
