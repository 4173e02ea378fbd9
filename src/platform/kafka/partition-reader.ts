/**
 * Takes what was fetched of one partition to its handler: in chunks, in order, one at a time; an
 * offset is committed only once its chunk is dealt with.
 */
import type { EachBatchPayload } from "kafkajs";
import type { Cancel, Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { receivedRecord } from "./received-record.ts";
import type { ChunkHandler, KafkaRecord } from "./records.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** What fails for long may as well be looked at twice a minute only. */
const LONGEST_PAUSE_MS = 30_000;

export interface PartitionReadersOptions {
  readonly onChunk: ChunkHandler;
  readonly maxChunkRecords: number;
  readonly heartbeatMs: number;
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
  /** Commits what could not be committed when it was done. */
  commitLeft(commit: (offsets: PartitionOffset[]) => Promise<void>): Promise<void>;
  /** How many chunks are being handled now. */
  busy(): number;
  positions(): PartitionPosition[];
  /** Forgets what is to be resumed later. */
  stop(): void;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  /** Of the next record to be read. */
  readonly offset: string;
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
  /** Done, and its commit failed. */
  left: string | undefined;
  /** The chunk being handled. After a rebalance, one of an earlier assignment may still be. */
  current: Promise<unknown>;
}

export function createPartitionReaders(options: PartitionReadersOptions): PartitionReaders {
  const { onChunk, maxChunkRecords, heartbeatMs, clock, logger } = options;
  const partitions = new Map<string, Partition>();
  let assigned: ReadonlySet<string> = new Set();
  let generation = 0;
  let busy = 0;

  function find(topic: string, partition: number): Partition {
    const key = keyOf(topic, partition);
    const found = partitions.get(key);
    if (found !== undefined) return found;
    const created = { topic, partition, failures: 0, lag: 0, current: Promise.resolve() };
    const state: Partition = { ...created, resume: undefined, left: undefined };
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

  async function commit(
    state: Partition,
    offset: string,
    payload: EachBatchPayload,
  ): Promise<void> {
    const { topic, partition } = state;
    payload.resolveOffset(offset);
    const next = (BigInt(offset) + 1n).toString();
    state.left = next;
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: next }] }],
    });
    state.left = undefined;
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
        await commit(state, last, payload);
        state.lag = Math.max(0, lagFrom(last) - 1);
        await payload.heartbeat();
      }
    },

    assign(assignment) {
      generation += 1;
      assigned = new Set(
        Object.entries(assignment).flatMap(([topic, numbers]) =>
          numbers.map((partition) => keyOf(topic, partition)),
        ),
      );
      for (const [key, state] of partitions) {
        state.left = undefined;
        if (!assigned.has(key)) state.failures = 0;
      }
      for (const [topic, numbers] of Object.entries(assignment)) {
        for (const partition of numbers) find(topic, partition);
      }
    },

    async commitLeft(commitNow) {
      const own = generation;
      const left = [...partitions.values()].flatMap(({ topic, partition, left: offset }) =>
        offset === undefined ? [] : [{ topic, partition, offset }],
      );
      if (left.length === 0) return;
      await commitNow(left);
      if (own !== generation) return;
      for (const { topic, partition, offset } of left) {
        const state = find(topic, partition);
        if (state.left === offset) state.left = undefined;
      }
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
