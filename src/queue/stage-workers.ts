/** Takes notes out of the queues and hands them to their stage's processor. */
import type { Channel, Lane } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Redis } from "../platform/redis.ts";
import type { EnvelopeItem } from "./envelope.ts";
import { createEnvelopeWorker } from "./envelope-worker.ts";
import { createLaneGate, type LaneGate } from "./lane-gate.ts";
import { STAGE_QUEUES, type StageQueue } from "./lanes.ts";
import { createMutex } from "./mutex.ts";
import { createShiftWorker } from "./shift-worker.ts";
import { createSuspects } from "./suspects.ts";

/** Works some notes. It throws only for a bug or a Redis that is away; the due index then retries. */
export type StageProcessor = (items: readonly EnvelopeItem[], lane: Lane) => Promise<void>;

export interface StageWorkersOptions {
  /** A "blocking" connection; each worker makes its own copy to wait on. */
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly processors: Readonly<Record<Channel, StageProcessor>>;
  /** Ends notes that no worker survives. */
  readonly condemn: (stage: Channel, items: readonly EnvelopeItem[]) => Promise<void>;
  readonly clock: Clock;
  readonly lockMs: number;
  readonly stallCheckMs: number;
  readonly logger: Logger;
}

/** What works one queue. */
export interface QueueWorker {
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface StageWorkers {
  start(): Promise<void>;
  /** Takes nothing more and resolves when what is in hand is done. */
  close(): Promise<void>;
}

type WorkItems = (items: readonly EnvelopeItem[]) => Promise<void>;

/** What a queue's worker does with notes, in its turn in this process. */
function inTurn({ lane, ordered }: StageQueue, gate: LaneGate, work: WorkItems): WorkItems {
  switch (lane) {
    case "urgent":
      return (items) => gate.urgent(() => work(items));
    case "normal":
      return work;
    case "bulk":
      if (ordered) return (items) => gate.bulk(items, work);
      // It may wait long for a provider: others need not wait for that as well.
      return async (items) => {
        await gate.letUrgentPass();
        await work(items);
      };
  }
}

export function createStageWorkers(options: StageWorkersOptions): StageWorkers {
  const gate = createLaneGate(options.clock);
  const oneAtATime = createMutex();
  const workers = STAGE_QUEUES.map((settings): QueueWorker => {
    const processor = options.processors[settings.stage];
    const process = inTurn(settings, gate, (items) => processor(items, settings.lane));
    const workSuspects = createSuspects({
      ...options,
      queue: settings.name,
      oneAtATime,
      process,
      condemn: (items) => options.condemn(settings.stage, items),
    });
    return settings.ordered
      ? createShiftWorker({ ...options, settings, process, workSuspects })
      : createEnvelopeWorker({ ...options, settings, process, workSuspects });
  });
  return {
    async start() {
      await Promise.all(workers.map((worker) => worker.start()));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}
