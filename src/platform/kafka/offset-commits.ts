/**
 * Commits what is dealt with: soon, and of all partitions together. A commit for each chunk made
 * every record behind it wait for the broker's disk, in a slow stream one commit for each record.
 * What is done and not committed when a process dies is read once more.
 */
import type { EachBatchPayload } from "kafkajs";
import type { Cancel, Clock } from "../clock.ts";

/** Each failure in a row doubles the wait, up to so many times as long. */
const LONGEST_WAIT_FACTOR = 64;

/** The client's own, of the membership that the partitions were given to. */
type Commit = EachBatchPayload["commitOffsetsIfNecessary"];

export interface OffsetCommits {
  /**
   * Everything of the partition in front of offset `next` is dealt with. Resolves at once; while
   * hurrying, when it is committed, or could not be.
   */
  done(topic: string, partition: number, next: string, commit: Commit): Promise<void>;
  /** Commits now what is left; what cannot be is tried again later. Never rejects. */
  flush(): Promise<void>;
  /** From now on nothing is left for later, until all is forgotten. */
  hurry(): void;
  /** After a rebalance: whoever has the partitions now reads again what is not committed. */
  forget(): void;
}

export function createOffsetCommits(options: {
  /** What is done waits so long at most. */
  readonly withinMs: number;
  readonly clock: Pick<Clock, "after">;
  /** Kafka did not take one, so often in a row; it may be no more than a rebalance. */
  readonly onFailed: (error: Error, failures: number) => void;
}): OffsetCommits {
  const { withinMs, clock, onFailed } = options;
  /** By topic and partition: the next offset to be read. */
  let left = new Map<string, Map<number, string>>();
  let commit: Commit | undefined;
  let isHurried = false;
  let failures = 0;
  /** What is forgotten belongs to one that is over. */
  let era = 0;
  let timer: Cancel | undefined;
  /** One after the other: of two under way, the older might be the last to arrive. */
  let latest = Promise.resolve();

  function cancelTimer(): void {
    timer?.();
    timer = undefined;
  }

  async function commitLeft(): Promise<void> {
    cancelTimer();
    if (commit === undefined || left.size === 0) return;
    const taken = left;
    left = new Map();
    const topics = [...taken].map(([topic, offsets]) => ({
      topic,
      partitions: [...offsets].map(([partition, offset]) => ({ partition, offset })),
    }));
    const own = era;
    try {
      await commit({ topics });
      failures = 0;
    } catch (error) {
      if (own !== era) return;
      failures += 1;
      left = newest(taken, left);
      if (!isHurried) commitLater();
      onFailed(error instanceof Error ? error : new Error(String(error)), failures);
    }
  }

  function commitLater(): void {
    const delayMs = withinMs * Math.min(2 ** failures, LONGEST_WAIT_FACTOR);
    timer ??= clock.after(delayMs, () => void flush());
  }

  function flush(): Promise<void> {
    latest = latest.then(commitLeft);
    return latest;
  }

  return {
    flush,

    async done(topic, partition, next, commitOfBatch) {
      commit = commitOfBatch;
      const offsets = left.get(topic) ?? new Map<number, string>();
      left.set(topic, offsets.set(partition, next));
      if (isHurried) await flush();
      else commitLater();
    },

    hurry() {
      isHurried = true;
    },

    forget() {
      cancelTimer();
      left = new Map();
      commit = undefined;
      isHurried = false;
      failures = 0;
      era += 1;
    },
  };
}

/** What a failed commit held, and over it what was done meanwhile. */
function newest(
  failed: ReadonlyMap<string, ReadonlyMap<number, string>>,
  later: ReadonlyMap<string, ReadonlyMap<number, string>>,
): Map<string, Map<number, string>> {
  const topics = new Set([...failed.keys(), ...later.keys()]);
  return new Map(
    [...topics].map((topic) => [
      topic,
      new Map([...(failed.get(topic) ?? []), ...(later.get(topic) ?? [])]),
    ]),
  );
}
