/**
 * Gives up browsers that nobody opened for weeks, and tells their person before. An index by shard
 * says which need attention now, so nothing is searched; what it says is only a reminder, and the
 * record decides.
 */
import type { Cancel, Clock } from "../../platform/clock.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import type { Logger } from "../../platform/logger.ts";
import { attentionOf, type LifeTimes } from "./subscription-life.ts";
import { withdraw } from "./subscriptions.ts";
import type { StoredSubscription, SubscriptionRecords } from "./subscription-records.ts";

/** Nobody waits for it. */
const INTERVAL_MS = 60_000;
/** A worker that dies leaves its own to another after so long. */
const LEASE_MS = 300_000;
/** Of one shard at a time: well within a lease, one after the other. */
const BATCH_SIZE = 50;
/** In one go; a heap, as after weeks without workers, is worked off over several. */
const MAX_BATCHES = 20;
/** What cannot be read may be what a newer version wrote, or sealed with a key that comes back. */
const UNREADABLE_AGAIN_MS = 86_400_000;

/** What a person is told of a browser that will be given up. */
export interface DeviceWarning {
  readonly userId: string;
  /** Undefined where it is not known: a version before this one stored it. */
  readonly label: string | undefined;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  /** The same however often this warning is given. */
  readonly key: string;
}

export interface SubscriptionExpiryOptions {
  readonly records: SubscriptionRecords;
  readonly keyspace: Pick<Keyspace, "shards">;
  readonly clock: Pick<Clock, "now" | "every">;
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly life: LifeTimes;
  /** Resolves once the warning will arrive, whatever dies. */
  readonly warn: (warning: DeviceWarning) => Promise<void>;
}

export interface SubscriptionExpiry {
  /** Looks now, and every minute. */
  start(): void;
  /** One look at every shard. */
  run(): Promise<{ readonly warned: number; readonly removed: number }>;
  close(): Promise<void>;
}

export function createSubscriptionExpiry(options: SubscriptionExpiryOptions): SubscriptionExpiry {
  const { records, clock, logger, life } = options;
  let running: Promise<{ warned: number; removed: number }> | undefined;
  let cancel: Cancel | undefined;
  const stop = new AbortController();

  async function warn(
    userId: string,
    id: string,
    read: { readonly sealed: string; readonly stored: StoredSubscription },
    end: number,
  ): Promise<void> {
    const { stored, sealed } = read;
    const { label, lastSeenAt } = stored;
    const key = `push-device-expiring:${id.slice(0, 32)}:${lastSeenAt}`;
    await options.warn({ userId, label, lastSeenAt, expiresAt: end, key });
    const warned = { ...stored, warnedAt: clock.now() };
    const next = attentionOf(warned, life, clock.now());
    const attentionAt = next.kind === "wait" ? next.until : end;
    // If its browser came back meanwhile, that was written and stands.
    await records.write(userId, id, { stored: warned, attentionAt, replaces: sealed });
  }

  async function attend(userId: string, id: string): Promise<"warned" | "removed" | "nothing"> {
    const record = await records.read(userId, id);
    if (record === undefined) {
      await records.forget(userId, id);
      return "nothing";
    }
    const { sealed, stored } = record;
    if (stored === undefined) {
      await records.postpone(userId, id, clock.now() + UNREADABLE_AGAIN_MS);
      return "nothing";
    }
    // Left behind when the browser went to another user.
    if ((await records.ownerOf(id)) !== userId) {
      await withdraw(records, userId, id, { sealed });
      return "nothing";
    }
    const attention = attentionOf(stored, life, clock.now());
    switch (attention.kind) {
      case "wait":
        await records.postpone(userId, id, attention.until);
        return "nothing";
      case "warn":
        await warn(userId, id, { sealed, stored }, attention.expiresAt);
        return "warned";
      case "remove":
        return (await withdraw(records, userId, id, { sealed })) ? "removed" : "nothing";
    }
  }

  async function look(): Promise<{ warned: number; removed: number }> {
    const count = { warned: 0, removed: 0, nothing: 0 };
    for (let shard = 0; shard < options.keyspace.shards; shard += 1) {
      for (let batch = 0; batch < MAX_BATCHES && !stop.signal.aborted; batch += 1) {
        const now = clock.now();
        const due = await records.lease(shard, now, now + LEASE_MS, BATCH_SIZE);
        for (const { userId, id } of due) {
          if (stop.signal.aborted) break;
          count[await attend(userId, id)] += 1;
        }
        if (due.length < BATCH_SIZE) break;
      }
    }
    const { warned, removed } = count;
    if (warned + removed > 0) logger.info({ warned, removed }, "push.stale_subscriptions");
    return { warned, removed };
  }

  async function run(): Promise<{ warned: number; removed: number }> {
    running ??= look().finally(() => {
      running = undefined;
    });
    return await running;
  }

  return {
    run,
    start() {
      const runAndTell = (): void => {
        // What it had in hand comes up again when its lease ends.
        run().catch((error: unknown) => {
          logger.warn({ err: error }, "stale push subscriptions could not be looked after");
        });
      };
      cancel = clock.every(INTERVAL_MS, runAndTell);
      runAndTell();
    },
    async close() {
      stop.abort();
      cancel?.();
      await running?.catch(() => undefined);
    },
  };
}
