/** Which queue a note waits in: one for each stage and lane, so that lanes never wait for each other. */
import type { Channel, Lane } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";

export interface StageQueue {
  /** Without `:`, which BullMQ keeps for itself. */
  readonly name: string;
  readonly stage: Channel;
  readonly lane: Lane;
  /** A list worked by one shift at a time over all workers, which keeps each user's order. */
  readonly ordered: boolean;
  /** Jobs (envelopes or shifts) one worker process handles at once. */
  readonly concurrency: number;
  /** Notes of an ordered queue that are handed out at once. */
  readonly batchSize: number;
}

/** Users of a partition share one ordered queue; four keep both cores and Redis busy. */
export const PARTITIONS = 4;

/**
 * 100: enough for full scripts in each shard of a partition. Of the bulk lane one script's worth: what
 * is urgent finds no more than that of each partition before it, in this process and in Redis.
 */
const BATCH_SIZE: Readonly<Record<Lane, number>> = { urgent: 100, normal: 100, bulk: 25 };

/**
 * Each is a chain of round trips, and a single request makes an envelope of one. With 8 at once, 50 a
 * second were too many as soon as a chain took 160 ms: they waited for each other for seconds.
 */
const URGENT_CONCURRENCY = 64;

/** Requests to providers in flight at once, per process and lane. */
const PROVIDER_CONCURRENCY: Readonly<Record<"push" | "sms", Readonly<Record<Lane, number>>>> = {
  push: { urgent: 10, normal: 10, bulk: 5 },
  sms: { urgent: 20, normal: 20, bulk: 5 },
};

function websocketQueues(lane: Lane): StageQueue[] {
  if (lane === "urgent") {
    return [
      {
        name: "websocket-urgent",
        stage: "websocket",
        lane,
        ordered: false,
        concurrency: URGENT_CONCURRENCY,
        batchSize: BATCH_SIZE[lane],
      },
    ];
  }
  return Array.from({ length: PARTITIONS }, (_, partition) => ({
    name: `websocket-${lane}-${partition}`,
    stage: "websocket",
    lane,
    ordered: true,
    concurrency: 1,
    batchSize: BATCH_SIZE[lane],
  }));
}

function providerQueue(stage: "push" | "sms", lane: Lane): StageQueue {
  return {
    name: `${stage}-${lane}`,
    stage,
    lane,
    ordered: false,
    concurrency: PROVIDER_CONCURRENCY[stage][lane],
    batchSize: BATCH_SIZE[lane],
  };
}

const LANE_ORDER = ["urgent", "normal", "bulk"] as const;

/** Every queue there is. */
export const STAGE_QUEUES: readonly StageQueue[] = LANE_ORDER.flatMap((lane) => [
  ...websocketQueues(lane),
  providerQueue("push", lane),
  providerQueue("sms", lane),
]);

/** The queue of a note. A user's shard decides the partition, so that a user has just one. */
export function queueNameOf(stage: Channel, lane: Lane, shard: number): string {
  if (stage !== "websocket" || lane === "urgent") return `${stage}-${lane}`;
  return `${stage}-${lane}-${shard % PARTITIONS}`;
}

/** In front of a queue's keys, BullMQ's and ours: a hash tag for each queue, as Redis Cluster needs. */
export function queuePrefix(keyspace: Keyspace, name: string): string {
  return keyspace.plain(`{queue-${name}}`);
}

/** BullMQ's list of a queue's jobs that nobody has taken. */
export function waitingEnvelopesKey(keyspace: Keyspace, name: string): string {
  return `${queuePrefix(keyspace, name)}:${name}:wait`;
}

/** Failed jobs are bugs: a few are kept to look at, never a growing pile. */
export const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: { count: 1_000 } } as const;

/**
 * What BullMQ notes of each job's course, for listeners that there are none of here. It keeps 10,000
 * entries of each queue unless it is told: 1 MB that fills up over days.
 */
export const JOB_EVENTS = { events: { maxLen: 100 } } as const;
