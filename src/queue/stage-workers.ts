/** Takes envelopes out of the queues and hands their items to the stage's processor. */
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Channel, Lane } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { parseEnvelope, type EnvelopeItem } from "./envelope.ts";
import { STAGE_QUEUES } from "./lanes.ts";
import { queuePrefix } from "./stage-queues.ts";

/** Works one envelope. It throws only for a bug or a Redis that is away; the due index then retries. */
export type StageProcessor = (items: readonly EnvelopeItem[], lane: Lane) => Promise<void>;

export interface StageWorkersOptions {
  /** A "blocking" connection; each worker makes its own copy to wait on. */
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly processors: Readonly<Record<Channel, StageProcessor>>;
  readonly lockMs: number;
  readonly stallCheckMs: number;
  readonly logger: Logger;
}

export interface StageWorkers {
  start(): Promise<void>;
  /** Takes no more envelopes and resolves when those in hand are done. */
  close(): Promise<void>;
}

/** An envelope lost with its worker is handed out again so often; after that the due index has it. */
const MAX_STALLS = 2;

export function createStageWorkers(options: StageWorkersOptions): StageWorkers {
  const { redis, keyspace, logger } = options;
  const workers = STAGE_QUEUES.map((settings) => {
    const worker = new Worker(
      settings.name,
      async (job) => {
        await options.processors[settings.stage](parseEnvelope(job.data), settings.lane);
      },
      {
        connection: redis,
        prefix: queuePrefix(keyspace, settings.name),
        concurrency: settings.concurrency,
        lockDuration: options.lockMs,
        stalledInterval: options.stallCheckMs,
        maxStalledCount: MAX_STALLS,
        autorun: false,
      },
    );
    worker.on("failed", (_job, error) => {
      logger.error(
        { err: error, queue: settings.name },
        "an envelope failed; the due index retries",
      );
    });
    // BullMQ reports every lost connection here; health says the same with less noise.
    worker.on("error", (error) =>
      logger.debug({ err: error, queue: settings.name }, "queue error"),
    );
    return { worker, settings };
  });

  return {
    async start() {
      await Promise.all(
        workers
          .filter(({ settings }) => settings.ordered)
          .map(async ({ settings }) => {
            const queue = new Queue(settings.name, {
              connection: redis,
              prefix: queuePrefix(keyspace, settings.name),
            });
            await queue.setGlobalConcurrency(1);
            await queue.close();
          }),
      );
      for (const { worker, settings } of workers) {
        worker.run().catch((error: unknown) => {
          logger.error({ err: error, queue: settings.name }, "a queue worker stopped");
        });
      }
    },
    async close() {
      await Promise.all(workers.map(({ worker }) => worker.close()));
    },
  };
}
