/** Works an ordered queue: its jobs are shifts, one at a time over all workers. */
import { Queue } from "bullmq";
import type { Cancel, Clock } from "../platform/clock.ts";
import { createJobWorker, runInBackground, type JobWorkerOptions } from "./bullmq-worker.ts";
import type { EnvelopeItem } from "./envelope.ts";
import { JOB_EVENTS, JOB_OPTIONS, queuePrefix } from "./lanes.ts";
import { createListOutlet, SHIFT_JOB } from "./ordered-list.ts";
import { createShift } from "./shift.ts";
import type { QueueWorker } from "./stage-workers.ts";
import type { WorkSuspects } from "./suspects.ts";

export interface ShiftWorkerOptions extends JobWorkerOptions {
  readonly process: (items: readonly EnvelopeItem[]) => Promise<void>;
  readonly workSuspects: WorkSuspects;
  readonly clock: Clock;
}

/** So often a job that was lost with its worker is handed out again; the list does not depend on it. */
const MAX_STALLS = 2;
/** Between looks for a list that waits with nobody awake: only a crash or a lost connection leaves one. */
const LOOK_MS = 2_000;

export function createShiftWorker(options: ShiftWorkerOptions): QueueWorker {
  const { settings, redis, keyspace, clock, logger } = options;
  const list = createListOutlet(redis, keyspace, settings);
  const queue = new Queue(settings.name, {
    connection: redis,
    prefix: queuePrefix(keyspace, settings.name),
    defaultJobOptions: JOB_OPTIONS,
    streams: JOB_EVENTS,
  });
  queue.on("error", () => {});
  const shift = createShift({
    queue: settings.name,
    list,
    process: options.process,
    workSuspects: options.workSuspects,
    clock,
    logger,
    random: Math.random,
  });
  const worker = createJobWorker<boolean>({ ...options, maxStalls: MAX_STALLS }, () =>
    shift.work(),
  );
  const adding = new Set<Promise<unknown>>();
  let cancelLooks: Cancel | undefined;

  /** Waits for Redis if it must. Where it fails the mark lapses, and a look calls anew. */
  function add(isWanted: Promise<boolean>): void {
    const work = isWanted
      .then(async (wanted) => {
        if (wanted) await queue.add(SHIFT_JOB, {});
      })
      .catch((error: unknown) =>
        logger.warn({ err: error, queue: settings.name }, "no shift could be added"),
      )
      .finally(() => adding.delete(work));
    adding.add(work);
  }

  // Only now: a job added before this one ended would go to this worker again, never to another.
  worker.on("completed", (_job, isLeft) => add(Promise.resolve(isLeft)));
  // It was lost with its worker too often. The next one takes the list over, whatever the mark says.
  worker.on("failed", () => add(Promise.resolve(true)));

  return {
    async start() {
      await queue.setGlobalConcurrency(1);
      runInBackground(worker, options);
      const look = (): void => {
        // One at a time: while Redis is away they wait, and would only pile up.
        if (adding.size === 0) add(list.call());
      };
      look();
      cancelLooks = clock.every(LOOK_MS, look);
    },
    async close() {
      cancelLooks?.();
      shift.close();
      await worker.close();
      await Promise.all(adding);
      await queue.close();
    },
  };
}
