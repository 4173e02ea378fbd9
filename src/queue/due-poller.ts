/**
 * Brings up notes whose time has come: scheduled sends, retries, quiet hours that ended, waits that
 * ran out, and whatever a crash left behind.
 */
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Waiting } from "./stage-queues.ts";

/** What the poller asks of the ledger. */
export interface DueIndex {
  leaseDue(shard: number, leaseMs: number, limit: number): Promise<Waiting[]>;
}

export interface DuePollerOptions {
  readonly index: DueIndex;
  readonly enqueue: (items: readonly Waiting[]) => Promise<void>;
  readonly shards: number;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/**
 * Leased by one look, over all shards; the rest is left to the next looks. A backlog of more than 30 s
 * is overdue as a whole: with four looks a second, 100,000 notes are leased once in as long as a lease
 * lasts. With 200 of each shard in one go, Redis did nothing else meanwhile.
 */
const LOOK_SIZE = 800;
/** Of one shard: a script call that is over within a millisecond, and progress with 256 shards. */
const MAX_SHARD_SIZE = 200;
const MIN_SHARD_SIZE = 10;
/** Their calls are worked off by Redis in one go. */
const SHARDS_AT_ONCE = 4;

export interface DuePoller {
  start(): void;
  /** One look at every shard; resolves with how many notes were brought up. */
  poll(): Promise<number>;
  close(): Promise<void>;
}

export function createDuePoller(options: DuePollerOptions): DuePoller {
  const { index, shards, leaseMs } = options;
  const shardSize = Math.min(
    MAX_SHARD_SIZE,
    Math.max(MIN_SHARD_SIZE, Math.ceil(LOOK_SIZE / shards)),
  );
  let cancel: Cancel | undefined;
  let running: Promise<number> | undefined;
  let failing = false;

  async function look(): Promise<number> {
    let count = 0;
    for (let first = 0; first < shards; first += SHARDS_AT_ONCE) {
      const length = Math.min(SHARDS_AT_ONCE, shards - first);
      const leased = await Promise.all(
        Array.from({ length }, (_, at) => index.leaseDue(first + at, leaseMs, shardSize)),
      );
      const items = leased.flat();
      if (items.length > 0) await options.enqueue(items);
      count += items.length;
    }
    return count;
  }

  async function poll(): Promise<number> {
    running ??= look().finally(() => {
      running = undefined;
    });
    return await running;
  }

  /** One line when it begins to fail and one when it is over: an outage of hours fills no disk. */
  async function pollAndTell(): Promise<void> {
    try {
      await poll();
      if (failing) options.logger.info("the due index can be read again");
      failing = false;
    } catch (error) {
      if (!failing) options.logger.warn({ err: error }, "the due index cannot be read");
      failing = true;
    }
  }

  return {
    poll,
    start() {
      cancel = options.clock.every(options.intervalMs, () => {
        if (running === undefined) void pollAndTell();
      });
    },
    async close() {
      cancel?.();
      await running?.catch(() => 0);
    },
  };
}
