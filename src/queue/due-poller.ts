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

/** Per shard and look; what is left is taken by the next look, which follows at once. */
const BATCH = 200;

export interface DuePoller {
  start(): void;
  /** One look at every shard; resolves with how many notes were brought up. */
  poll(): Promise<number>;
  close(): Promise<void>;
}

export function createDuePoller(options: DuePollerOptions): DuePoller {
  let cancel: Cancel | undefined;
  let running: Promise<number> | undefined;

  async function look(): Promise<number> {
    const shards = Array.from({ length: options.shards }, (_, shard) => shard);
    const leased = await Promise.all(
      shards.map((shard) => options.index.leaseDue(shard, options.leaseMs, BATCH)),
    );
    const items = leased.flat();
    if (items.length > 0) await options.enqueue(items);
    return items.length;
  }

  async function poll(): Promise<number> {
    running ??= look().finally(() => {
      running = undefined;
    });
    return await running;
  }

  return {
    poll,
    start() {
      cancel = options.clock.every(options.intervalMs, () => {
        if (running !== undefined) return;
        poll().catch((error: unknown) => {
          options.logger.warn({ err: error }, "the due index could not be read");
        });
      });
    },
    async close() {
      cancel?.();
      await running?.catch(() => 0);
    },
  };
}
