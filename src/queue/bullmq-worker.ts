/** What both kinds of queue want of a BullMQ worker. */
import { Worker, type Job } from "bullmq";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Redis } from "../platform/redis.ts";
import { queuePrefix, type StageQueue } from "./lanes.ts";

export interface JobWorkerOptions {
  readonly settings: StageQueue;
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly lockMs: number;
  readonly stallCheckMs: number;
  readonly logger: Logger;
}

/**
 * Starts nothing yet: `run` does.
 * @param options `maxStalls`: how often a job lost with its worker is handed out again before it fails
 */
export function createJobWorker<Result>(
  options: JobWorkerOptions & { readonly maxStalls: number },
  work: (job: Job<unknown, Result>) => Promise<Result>,
): Worker<unknown, Result> {
  const { settings, redis, keyspace, logger } = options;
  const worker = new Worker<unknown, Result>(settings.name, work, {
    connection: redis,
    prefix: queuePrefix(keyspace, settings.name),
    concurrency: settings.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.stallCheckMs,
    maxStalledCount: options.maxStalls,
    autorun: false,
  });
  worker.on("failed", (_job, error) => {
    logger.error({ err: error, queue: settings.name }, "a queue job failed; the due index retries");
  });
  // BullMQ reports every lost connection here; health says the same with less noise.
  worker.on("error", (error) => logger.debug({ err: error, queue: settings.name }, "queue error"));
  return worker;
}

/** Does not wait for the worker to end. */
export function runInBackground(
  worker: { run(): Promise<void> },
  { settings, logger }: JobWorkerOptions,
): void {
  worker.run().catch((error: unknown) => {
    logger.error({ err: error, queue: settings.name }, "a queue worker stopped");
  });
}
