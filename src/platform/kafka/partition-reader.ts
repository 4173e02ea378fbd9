/**
 * Takes what was fetched of one partition to its handler: in chunks, in order, one at a time; an
 * offset is committed only once its chunk is dealt with, and soon after.
 */
import type { EachBatchPayload } from "kafkajs";
import type { Cancel, Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { createOffsetCommits } from "./offset-commits.ts";
import { receivedRecord } from "./received-record.ts";
import type { ChunkHandler, KafkaRecord } from "./records.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** What fails for long may as well be looked at twice a minute only. */
const LONGEST_PAUSE_MS = 30_000;

export interface PartitionReadersOptions {
  readonly onChunk: ChunkHandler;
  readonly maxChunkRecords: number;
  readonly heartbeatMs: number;
  /** What is dealt with is committed within so long. */
  readonly commitWithinMs: number;
  /** Kafka did not take a commit, so often in a row; it is tried again. */
  readonly onCommitFailed: (error: Error, failures: number) => void;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn">;
}

export interface PartitionReaders {
  /** For kafkajs: rejects only with its own errors, for it to act upon. */
  read(payload: EachBatchPayload): Promise<void>;
  /**
   * The group has given its partitions out anew. What is still being handled of an earlier
   * assignment is not committed: whoever has the partition now reads it again.
   */
  assign(assignment: Readonly<Record<string, readonly number[]>>): void;
  /** Commits what is dealt with so far. Never rejects. */
  commit(): Promise<void>;
  /** The membership is about to end: what is still being handled is committed as soon as it is done. */
  finish(): Promise<void>;
  /** How many chunks are being handled now. */
  busy(): number;
  positions(): PartitionPosition[];
  /** Forgets what is to be resumed later. */
  stop(): void;
}

export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  /** Whether its handler fails at the moment, and is tried again later. */
  readonly paused: boolean;
  /** Records behind the end of the partition, as of the last fetch; 0 before the first. */
  readonly lag: number;
}

interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** In a row. */
  failures: number;
  resume: Cancel | undefined;
  lag: number;
  /** The chunk being handled. After a rebalance, one of an earlier assignment may still be. */
  current: Promise<unknown>;
}

export function createPartitionReaders(options: PartitionReadersOptions): PartitionReaders {
  const { onChunk, maxChunkRecords, heartbeatMs, clock, logger } = options;
  const partitions = new Map<string, Partition>();
  let assigned: ReadonlySet<string> = new Set();
  let generation = 0;
  let busy = 0;
  const commits = createOffsetCommits({
    clock,
    withinMs: options.commitWithinMs,
    onFailed: options.onCommitFailed,
  });

  function find(topic: string, partition: number): Partition {
    const key = keyOf(topic, partition);
    const found = partitions.get(key);
    if (found !== undefined) return found;
    const created = { topic, partition, failures: 0, lag: 0, current: Promise.resolve() };
    const state: Partition = { ...created, resume: undefined };
    partitions.set(key, state);
    return state;
  }

  /** @returns whether it is dealt with. Membership of the group is kept up meanwhile. */
  async function handle(
    state: Partition,
    records: readonly KafkaRecord[],
    payload: EachBatchPayload,
  ): Promise<boolean> {
    // What a heartbeat learns, for instance of a rebalance, the next one in `read` learns as well.
    const stopHeartbeats = clock.every(heartbeatMs, () => void payload.heartbeat().catch(() => {}));
    busy += 1;
    const run = Promise.resolve(onChunk(records));
    state.current = run.catch(() => {});
    try {
      await run;
      state.failures = 0;
      return true;
    } catch (error) {
      state.failures += 1;
      const { topic, partition } = state;
      const offset = records[0]?.offset;
      logger.warn(
        { err: error, topic, partition, offset, failures: state.failures },
        "kafka.chunk_failed",
      );
      return false;
    } finally {
      busy -= 1;
      stopHeartbeats();
    }
  }

  function pause(state: Partition, payload: EachBatchPayload): void {
    const resume = payload.pause();
    state.resume?.();
    const cancel = clock.after(
      retryDelayMs(state.failures, Math.random(), LONGEST_PAUSE_MS),
      () => {
        state.resume = undefined;
        resume();
      },
    );
    state.resume = cancel;
  }

  async function settle(
    { topic, partition }: Partition,
    offset: string,
    payload: EachBatchPayload,
  ): Promise<void> {
    payload.resolveOffset(offset);
    const next = (BigInt(offset) + 1n).toString();
    // The client is stopping by itself: nothing may be left for later.
    if (!payload.isRunning()) commits.hurry();
    await commits.done(topic, partition, next, (offsets) =>
      payload.commitOffsetsIfNecessary(offsets),
    );
    try {
      await payload.heartbeat();
    } catch (error) {
      // The group is given out anew: while it is, it still takes what was done before.
      await commits.flush();
      throw error;
    }
  }

  return {
    async read(payload) {
      const { batch } = payload;
      const own = generation;
      const state = find(batch.topic, batch.partition);
      const isOurs = (): boolean => own === generation;
      await state.current;
      const lagFrom = (offset: string): number =>
        Math.max(0, Number(BigInt(batch.highWatermark) - BigInt(offset)));
      state.lag = lagFrom(batch.firstOffset() ?? batch.lastOffset());
      for (const chunk of chunksOf(batch.messages, maxChunkRecords)) {
        if (!isOurs() || !payload.isRunning() || payload.isStale()) return;
        const records = chunk.map((message) =>
          receivedRecord(batch.topic, batch.partition, message),
        );
        const done = await handle(state, records, payload);
        if (!isOurs()) return;
        if (!done) {
          pause(state, payload);
          return;
        }
        const lastMessage = chunk.at(-1);
        // Marks of transactions may follow the last message; they are done with as well.
        const isEnd = lastMessage === undefined || lastMessage === batch.messages.at(-1);
        const last = isEnd ? batch.lastOffset() : lastMessage.offset;
        state.lag = Math.max(0, lagFrom(last) - 1);
        await settle(state, last, payload);
      }
    },

    assign(assignment) {
      generation += 1;
      commits.forget();
      assigned = new Set(
        Object.entries(assignment).flatMap(([topic, numbers]) =>
          numbers.map((partition) => keyOf(topic, partition)),
        ),
      );
      for (const [key, state] of partitions) {
        if (!assigned.has(key)) state.failures = 0;
      }
      for (const [topic, numbers] of Object.entries(assignment)) {
        for (const partition of numbers) find(topic, partition);
      }
    },

    commit: () => commits.flush(),

    finish() {
      commits.hurry();
      return commits.flush();
    },

    busy: () => busy,

    positions: () =>
      [...partitions]
        .filter(([key]) => assigned.has(key))
        .map(([, { topic, partition, resume, lag }]) => ({
          topic,
          partition,
          paused: resume !== undefined,
          lag,
        })),

    stop() {
      for (const state of partitions.values()) {
        state.resume?.();
        state.resume = undefined;
      }
    },
  };
}

function keyOf(topic: string, partition: number): string {
  return `${topic}|${partition}`;
}

function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
