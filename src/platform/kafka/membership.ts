/** One membership of a consumer group, from joining to leaving, with the client's own consumer. */
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { KafkaConnection } from "./connection.ts";
import type { PartitionReaders } from "./partition-reader.ts";
import { ensureTopics, type WantedTopics } from "./topics.ts";

export interface MembershipOptions extends WantedTopics {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly readers: PartitionReaders;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "debug" | "info" | "warn">;
  /** How many partitions are handled at the same time. */
  readonly concurrency: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Without a look at the broker for so long, though nothing is being handled, it is stuck. */
  readonly stallAfterMs: number;
  /** Called when the group has given us partitions, perhaps none. */
  readonly onJoined: () => void;
}

/** Why a membership ended, other than by `leave`. */
export type MembershipEnd =
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "stalled" }
  | { readonly kind: "topics_appeared" };

export interface Membership {
  /** Resolves when it has to be replaced; the consumer has left the group then, if it could. */
  readonly ended: Promise<MembershipEnd>;
  /** Has it replaced: what Kafka refuses it, it would be refused again. */
  fail(error: Error): void;
  /** Finishes what is being handled, commits it and leaves the group. */
  leave(): Promise<void>;
}

/** Also how long a stop waits for an answer that is still to come, and a resumed partition to be read. */
const MAX_FETCH_WAIT_MS = 500;
const TICK_MS = 5_000;
/** Between looks whether the operator has created a topic that was missing. */
const TOPICS_EVERY_MS = 60_000;
const REBALANCE_TIMEOUT_MS = 60_000;

/** @throws if Kafka cannot be reached, or does not let us in */
export async function joinGroup(options: MembershipOptions): Promise<Membership> {
  const { connection, groupId, readers, clock } = options;
  const present = await findTopics(options);
  if (present.length === 0) throw new Error("none of the topics is there yet");

  const consumer = connection.client.consumer({
    groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: options.sessionTimeoutMs,
    heartbeatInterval: options.heartbeatMs,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
    // Whether it is worth another try is decided in one place, and with a new consumer: this one
    // would come back by itself even after it was told to stop.
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
  const ended = Promise.withResolvers<MembershipEnd>();
  let sawBrokerAt = clock.now();
  consumer.on(consumer.events.FETCH, () => {
    sawBrokerAt = clock.now();
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    sawBrokerAt = clock.now();
    readers.assign(payload.memberAssignment);
    options.onJoined();
  });
  // Until all members have joined again, the group takes what was done before.
  consumer.on(consumer.events.REBALANCING, () => void readers.commit());
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) =>
    ended.resolve({ kind: "failed", error }),
  );

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...present], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.concurrency,
      eachBatch: (payload) => readers.read(payload),
    });
  } catch (error) {
    await consumer.disconnect().catch(() => {});
    throw error;
  }

  const stopTicking = clock.every(TICK_MS, () => {
    if (readers.busy() === 0 && clock.now() - sawBrokerAt > options.stallAfterMs) {
      ended.resolve({ kind: "stalled" });
    }
  });
  const stopLooking = lookForTopics(options, present, () =>
    ended.resolve({ kind: "topics_appeared" }),
  );

  return {
    ended: ended.promise,
    fail: (error) => ended.resolve({ kind: "failed", error }),
    async leave() {
      stopTicking();
      stopLooking();
      // Sent before the client leaves; where Kafka is away it shall not hold that up.
      void readers.finish();
      // A connection that is broken already cannot be closed in good order; it is gone all the same.
      await consumer.disconnect().catch((error: unknown) => {
        options.logger.debug({ err: error, group: groupId }, "kafka.not_left_in_order");
      });
    },
  };
}

async function findTopics(options: MembershipOptions): Promise<readonly string[]> {
  const admin = options.connection.client.admin();
  try {
    await admin.connect();
    return await ensureTopics(admin, options, options.logger);
  } finally {
    await admin.disconnect();
  }
}

/** A consumer cannot take up further topics; a new one can. */
function lookForTopics(
  options: MembershipOptions,
  present: readonly string[],
  onAppeared: () => void,
): () => void {
  if (present.length === options.topics.length) return () => {};
  return options.clock.every(TOPICS_EVERY_MS, () => {
    findTopics(options)
      .then((found) => {
        if (found.length > present.length) onAppeared();
      })
      .catch(() => {});
  });
}
