/**
 * Reads topics as a member of a consumer group and hands the records over in chunks. It starts
 * without Kafka and goes on trying; what ends a membership, short of a fault in the set-up, is
 * followed by a new one.
 */
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { KafkaConnection } from "./connection.ts";
import { joinGroup, type Membership, type MembershipOptions } from "./membership.ts";
import { createPartitionReaders, type PartitionPosition } from "./partition-reader.ts";
import type { ChunkHandler } from "./records.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { isFatal, MembershipStuck } from "./set-up-faults.ts";

export interface KafkaConsumerOptions {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  /** Full names, with `KAFKA_TOPIC_PREFIX`; made where they are missing. */
  readonly topics: readonly string[];
  /** Of topics that have to be made. */
  readonly partitions: number;
  readonly onChunk: ChunkHandler;
  /**
   * It has ended by an error that another try would meet again; nothing more is read. Without it
   * such errors are told, and another try is made slowly until a person has mended the cause.
   */
  readonly onStopped?: (error: Error) => void;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "debug" | "info" | "warn" | "error">;
  /** How many partitions are handled at the same time. */
  readonly concurrency?: number;
  /** How soon Kafka takes a member that says nothing for dead. */
  readonly sessionTimeoutMs?: number;
  /** How long nothing may be fetched before a new membership is tried. */
  readonly stallAfterMs?: number;
}

export interface KafkaConsumerState {
  /** `paused`: some partition's handler fails at the moment; the others go on. */
  readonly status: "connecting" | "consuming" | "paused" | "stopped";
  /** Those given to this member. */
  readonly partitions: readonly PartitionPosition[];
}

export interface KafkaConsumer {
  /** Returns at once; Kafka need not be there. */
  start(): void;
  /** Finishes the chunks in hand, commits them, and leaves the group. */
  stop(): Promise<void>;
  state(): KafkaConsumerState;
}

/** One call for each chunk: large enough for throughput, small enough to be repeated. */
const MAX_CHUNK_RECORDS = 500;
/** What a process that is killed has read in vain; a commit takes the broker some milliseconds. */
const COMMIT_WITHIN_MS = 250;
const DEFAULT_CONCURRENCY = 4;
const DEFAULT_SESSION_TIMEOUT_MS = 15_000;
/** A rebalance may hold everything up for a minute. */
const DEFAULT_STALL_AFTER_MS = 90_000;
/** Between tries while Kafka does not let us in: a person has to act, and sees it in the log. */
const REFUSED_PAUSE_MS = 30_000;
/** Besides the client's own tries of some four seconds: an outage is not to be prolonged much. */
const LONGEST_PAUSE_MS = 5_000;
const STOP_GRACE_MS = 3_000;
const LEAVE_DEADLINE_MS = 30_000;
/** Kafka's own advice: a third of the session, so that two may get lost. */
const HEARTBEATS_PER_SESSION = 3;
const MAX_HEARTBEAT_MS = 3_000;

export function createKafkaConsumer(options: KafkaConsumerOptions): KafkaConsumer {
  const { groupId, clock, logger, onStopped } = options;
  const sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
  const heartbeatMs = Math.min(MAX_HEARTBEAT_MS, sessionTimeoutMs / HEARTBEATS_PER_SESSION);
  const readers = createPartitionReaders({
    onChunk: options.onChunk,
    maxChunkRecords: MAX_CHUNK_RECORDS,
    heartbeatMs,
    commitWithinMs: COMMIT_WITHIN_MS,
    onCommitFailed(error, inARow) {
      logger.warn(
        { group: groupId, reason: error.message, failures: inARow },
        "kafka.not_committed",
      );
      if (isFatal(error)) current?.fail(error);
    },
    clock,
    logger,
  });
  let current: Membership | undefined;
  let status: "connecting" | "consuming" | "stopped" = "stopped";
  let failures = 0;
  let refused = false;
  let running: Promise<void> | undefined;
  const stopping = Promise.withResolvers<"stop">();

  const membership: MembershipOptions = {
    connection: options.connection,
    groupId,
    topics: options.topics,
    partitions: options.partitions,
    readers,
    clock,
    logger,
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    sessionTimeoutMs,
    heartbeatMs,
    stallAfterMs: options.stallAfterMs ?? DEFAULT_STALL_AFTER_MS,
    onJoined() {
      status = "consuming";
      failures = 0;
      refused = false;
      logger.info({ group: groupId, partitions: readers.positions().length }, "kafka.joined");
    },
  };

  /** @returns whether another membership is to follow. */
  async function liveOnce(): Promise<boolean> {
    status = "connecting";
    const joining = joinGroup(membership);
    let member: Membership | "stop";
    try {
      member = await Promise.race([stopping.promise, joining]);
    } catch (error) {
      return judge(error instanceof Error ? error : new Error(String(error)));
    }
    if (member === "stop") {
      await withoutLingering(joining.then((late) => late.leave()));
      return false;
    }
    current = member;
    const end = await Promise.race([stopping.promise, member.ended]);
    status = "connecting";
    const left = member.leave();
    if (end === "stop") {
      await withoutLingering(left);
      readers.stop();
      readers.assign({});
      return false;
    }
    if ((await orAfter(left, LEAVE_DEADLINE_MS)) === "late") {
      // It may still hold its partitions: only the end of the process surely frees them.
      const goesOn = judge(new MembershipStuck("the membership of the group did not end"));
      if (!goesOn) return false;
      // Beside it a new one would read only a part, and look as if all were well.
    }
    await Promise.race([stopping.promise, left]);
    readers.stop();
    readers.assign({});
    if (end.kind === "failed") return judge(end.error);
    logger.warn({ group: groupId, reason: end.kind }, "kafka.rejoining");
    return true;
  }

  /**
   * A stop waits for what is being handled, and not for a group that is giving its partitions out
   * anew: that may take as long as it takes to find out that some other member is gone.
   */
  async function withoutLingering(left: Promise<void>): Promise<void> {
    const settled = left.catch(() => {});
    for (;;) {
      const result = await orAfter(settled, STOP_GRACE_MS);
      if (result === "done" || readers.busy() === 0) return;
    }
  }

  function judge(error: Error): boolean {
    failures += 1;
    refused = isFatal(error);
    if (refused && onStopped !== undefined) {
      logger.error({ err: error, group: groupId }, "kafka.consumer_stopped");
      onStopped(error);
      return false;
    }
    if (refused) {
      logger.error({ err: error, group: groupId, failures }, "kafka.refused; nothing is read");
      return true;
    }
    logger.warn({ group: groupId, reason: error.message, failures }, "kafka.unreachable");
    return true;
  }

  async function live(): Promise<void> {
    while (await liveOnce()) {
      if (failures === 0) continue;
      const pauseMs = refused
        ? REFUSED_PAUSE_MS
        : retryDelayMs(failures, Math.random(), LONGEST_PAUSE_MS);
      if ((await pauseFor(pauseMs)) === "stop") break;
    }
    status = "stopped";
  }

  /** A stop need not wait for the timer, and leaves none behind. */
  async function pauseFor(ms: number): Promise<"go" | "stop"> {
    const pause = Promise.withResolvers<"go">();
    const cancel = clock.after(ms, () => pause.resolve("go"));
    const result = await Promise.race([stopping.promise, pause.promise]);
    cancel();
    return result;
  }

  async function orAfter(done: Promise<void>, ms: number): Promise<"done" | "late"> {
    const late = Promise.withResolvers<"late">();
    const cancel = clock.after(ms, () => late.resolve("late"));
    const result = await Promise.race([done.then(() => "done" as const), late.promise]);
    cancel();
    return result;
  }

  return {
    start() {
      running ??= live();
    },

    async stop() {
      stopping.resolve("stop");
      await running;
    },

    state() {
      const partitions = status === "consuming" ? readers.positions() : [];
      const isPaused = partitions.some(({ paused }) => paused);
      return { status: isPaused ? "paused" : status, partitions };
    },
  };
}
