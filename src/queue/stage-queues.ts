/** Puts notes into their queues, gathered into envelopes: many callers, few Redis calls. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Channel, Lane } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { toEnvelopes, type EnvelopeItem } from "./envelope.ts";
import { queueNameOf, STAGE_QUEUES, type StageQueue } from "./lanes.ts";

/** What a stage needs to know to queue a note. */
export interface Waiting extends EnvelopeItem {
  readonly userId: string;
  readonly stage: Channel;
  readonly lane: Lane;
}

export interface StageQueues {
  /** Resolves when all are in their queues. Rejects if Redis is away; the due index then finds them. */
  enqueue(items: readonly Waiting[]): Promise<void>;
  /** Envelopes that wait, over all queues. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

export interface StageQueuesOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  /** Called once for each envelope that was queued. */
  readonly onEnvelope?: (stage: Channel, lane: Lane) => void;
}

/** Failed jobs are bugs: a few are kept to look at, never a growing pile. */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: { count: 1_000 } } as const;

/** BullMQ's keys, with a hash tag for each queue, as Redis Cluster needs. */
export function queuePrefix(keyspace: Keyspace, name: string): string {
  return keyspace.plain(`{queue-${name}}`);
}

export function createStageQueues(options: StageQueuesOptions): StageQueues {
  const { redis, keyspace } = options;
  const writers = new Map(
    STAGE_QUEUES.map((settings) => {
      const queue = new Queue(settings.name, {
        connection: redis,
        prefix: queuePrefix(keyspace, settings.name),
        defaultJobOptions: JOB_OPTIONS,
      });
      // Failures reach the caller by the rejected promise.
      queue.on("error", () => {});
      return [settings.name, createWriter(queue, settings, options.onEnvelope)] as const;
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

interface Batch {
  readonly items: EnvelopeItem[];
  readonly done: PromiseWithResolvers<void>;
}

function createWriter(
  queue: Queue,
  settings: StageQueue,
  onEnvelope: StageQueuesOptions["onEnvelope"],
) {
  let open: Batch | undefined;
  let flushing = false;

  /** Everything gathered while one flush was under way goes with the next: no timer, no delay. */
  async function flush(): Promise<void> {
    if (flushing) return;
    flushing = true;
    for (let batch = open; batch !== undefined; batch = open) {
      open = undefined;
      try {
        const envelopes = toEnvelopes(settings.stage, batch.items);
        const jobs = envelopes.map((data) => ({ name: settings.stage, data }));
        const [first] = jobs;
        if (jobs.length === 1 && first !== undefined) await queue.add(first.name, first.data);
        else await queue.addBulk(jobs);
        for (const _ of envelopes) onEnvelope?.(settings.stage, settings.lane);
        batch.done.resolve();
      } catch (error) {
        batch.done.reject(error);
      }
    }
    flushing = false;
  }

  return {
    write(items: readonly EnvelopeItem[]): Promise<void> {
      open ??= { items: [], done: Promise.withResolvers<void>() };
      const batch = open;
      for (const item of items) batch.items.push(item);
      void flush();
      return batch.done.promise;
    },
    waiting: () => queue.getWaitingCount(),
    close: () => queue.close(),
  };
}
