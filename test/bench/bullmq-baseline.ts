/** Runs the bare BullMQ baseline and takes its figures. */
import { z } from "zod";
import { eachUs, startMeter } from "./meter.ts";
import type { BenchContext } from "./scenarios.ts";

const answerSchema = z.object({
  count: z.number(),
  perSecond: z.number(),
  serverUs: z.number(),
  added: z.number(),
  worked: z.number(),
});

export interface BareQueue {
  readonly mode: "add" | "addBulk";
  readonly perSecond: number;
  /** Processor time for each job, in microseconds. */
  readonly serverUs: number;
  readonly redisUs: number;
  readonly othersShare: number;
}

/**
 * Adds and works jobs for `seconds` in each way: one by one with 50 under way, which is what ratios
 * are taken to, and 1,000 at once.
 */
export async function measureBareQueue(
  context: BenchContext,
  seconds: number,
): Promise<BareQueue[]> {
  const redis = await context.startRedis("bullmq-redis");
  const server = await context.startServer({
    file: "test/bench/bullmq-baseline-server.ts",
    env: { REDIS_URL: redis.url },
  });
  const measured: BareQueue[] = [];
  for (const mode of ["add", "addBulk"] as const) {
    context.announce(`bare BullMQ: ${mode} and a worker that does nothing, for ${seconds} s`);
    const stopMeter = startMeter({ server: server.pid, redis: redis.pid });
    const answer = await fetch(`${server.url}/?mode=${mode}&seconds=${seconds}`);
    const { perSecond, serverUs } = answerSchema.parse(await answer.json());
    const { cpuMs, elapsedMs, othersShare } = stopMeter();
    measured.push({
      mode,
      perSecond,
      serverUs,
      // Redis is measured over the warm-up as well, at the same rate.
      redisUs: eachUs(cpuMs.redis, (perSecond * elapsedMs) / 1_000),
      othersShare,
    });
  }
  await server.stop();
  await redis.stop();
  return measured;
}
