/** Puts notes into their queues: at the end of an ordered list, or gathered into envelopes. */
import { Queue } from "bullmq";
import type { Channel, Lane } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";
import { toEnvelopes, type EnvelopeItem } from "./envelope.ts";
import { createGatherer } from "./gatherer.ts";
import {
  JOB_EVENTS,
  JOB_OPTIONS,
  queueNameOf,
  queuePrefix,
  STAGE_QUEUES,
  type StageQueue,
} from "./lanes.ts";
import { createListInlet, SHIFT_JOB } from "./ordered-list.ts";

/** What a stage needs to know to queue a note. */
export interface Waiting extends EnvelopeItem {
  readonly userId: string;
  readonly stage: Channel;
  readonly lane: Lane;
}

export interface StageQueues {
  /** Resolves when all are in their queues. Rejects if Redis is away; the due index then finds them. */
  enqueue(items: readonly Waiting[]): Promise<void>;
  /** What waits, over all queues: notes of the ordered ones, envelopes of the others. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

export interface StageQueuesOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  /** Called once for each envelope that was queued; for an ordered list, once for each push. */
  readonly onEnvelope?: (stage: Channel, lane: Lane) => void;
}

export function createStageQueues(options: StageQueuesOptions): StageQueues {
  const { redis, keyspace } = options;
  const writers = new Map(
    STAGE_QUEUES.map((settings) => {
      const queue = new Queue(settings.name, {
        connection: redis,
        prefix: queuePrefix(keyspace, settings.name),
        defaultJobOptions: JOB_OPTIONS,
        streams: JOB_EVENTS,
      });
      // Failures reach the caller by the rejected promise.
      queue.on("error", () => {});
      const writer = settings.ordered
        ? createListWriter(queue, settings, options)
        : createEnvelopeWriter(queue, settings, options);
      return [settings.name, writer] as const;
    }),
  );

  return {
    async enqueue(items) {
      const groups = new Map<string, EnvelopeItem[]>();
      for (const item of items) {
        const name = queueNameOf(item.stage, item.lane, keyspace.shardOfUser(item.userId));
        const group = groups.get(name);
        if (group === undefined) groups.set(name, [item]);
        else group.push(item);
      }
      await Promise.all(
        [...groups].map(async ([name, group]) => await writers.get(name)?.write(group)),
      );
    },

    async waiting() {
      const counts = await Promise.all([...writers.values()].map((writer) => writer.waiting()));
      return counts.reduce((sum, count) => sum + count, 0);
    },

    async close() {
      await Promise.all([...writers.values()].map((writer) => writer.close()));
    },
  };
}

interface Writer {
  write(items: readonly EnvelopeItem[]): Promise<void>;
  waiting(): Promise<number>;
  close(): Promise<void>;
}

function createListWriter(queue: Queue, settings: StageQueue, options: StageQueuesOptions): Writer {
  const { redis, keyspace, onEnvelope } = options;
  const list = createListInlet(redis, keyspace, settings.name);
  return {
    write: createGatherer(async (items) => {
      if (await list.push(items)) await queue.add(SHIFT_JOB, {});
      onEnvelope?.(settings.stage, settings.lane);
    }),
    waiting: () => list.waiting(),
    close: () => queue.close(),
  };
}

function createEnvelopeWriter(
  queue: Queue,
  { stage, lane }: StageQueue,
  { onEnvelope }: StageQueuesOptions,
): Writer {
  return {
    write: createGatherer(async (items) => {
      const jobs = toEnvelopes(stage, items).map((data) => ({ name: stage, data }));
      const [first] = jobs;
      if (jobs.length === 1 && first !== undefined) await queue.add(first.name, first.data);
      else await queue.addBulk(jobs);
      for (const _ of jobs) onEnvelope?.(stage, lane);
    }),
    waiting: () => queue.getWaitingCount(),
    close: () => queue.close(),
  };
}
