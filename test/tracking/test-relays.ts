/** Relays on a ledger of the test's own, each as a process of its own has it. */
import { expect } from "vitest";
import { outcomeEventSchema, type OutcomeEvent } from "../../src/contract/outcome-event.ts";
import type { OutgoingRecord } from "../../src/platform/kafka/records.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { outcomesKey } from "../../src/tracking/outcome-entries.ts";
import { createOutcomeRelay, type OutcomeRelay } from "../../src/tracking/outcome-relay.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

export const INTERVAL_MS = 250;
export const RELAY_LEASE_MS = 10_000;
const logger = createSilentLogger();

export interface TestRelay {
  readonly relay: OutcomeRelay;
  readonly clock: ManualClock;
  readonly backlogs: number[];
  /** What a process that dies does to its connections. */
  die(): void;
}

export interface TestRelays {
  readonly book: TestLedger;
  /** Makes `count` outcomes of one user. */
  settle(userId: string, count: number): Promise<void>;
  openRelay(
    send: (records: readonly OutgoingRecord[], self: () => TestRelay) => Promise<void>,
    options?: { readonly leaseMs?: number; readonly nodeId?: string },
  ): Promise<TestRelay>;
  /** Ends what the relays of a test hold, and takes away what they left. */
  clear(): Promise<void>;
}

/** The events in records, which have the user as their key. */
export function parseOutcomes(records: readonly OutgoingRecord[]): OutcomeEvent[] {
  return records.map(({ key, value }) => {
    const event = outcomeEventSchema.parse(JSON.parse(String(value)));
    expect(key).toBe(event.data.user_id);
    return event;
  });
}

export async function openTestRelays(): Promise<TestRelays> {
  // All but the first notification of a minute are held back: one outcome each, in one step.
  const book = await openTestLedger({ outcomes: true, recipientLimitPerMinute: 1 });
  const { redis, keyspace, url } = book.store;
  const disposals: (() => void)[] = [];

  return {
    book,

    async settle(userId, count) {
      book.clock.advance(60_000);
      const drafts = Array.from({ length: count + 1 }, () =>
        book.draft({ userId, priority: "low" }),
      );
      await book.ledger.accept(drafts);
    },

    async openRelay(send, { leaseMs = RELAY_LEASE_MS, nodeId = crypto.randomUUID() } = {}) {
      const own = connectRedis(url, "command");
      await waitForRedis(own, logger);
      disposals.push(() => own.disconnect());
      const clock = createManualClock();
      const backlogs: number[] = [];
      const self: TestRelay = {
        clock,
        backlogs,
        die: () => own.disconnect(),
        relay: createOutcomeRelay({
          redis: own,
          keyspace,
          clock,
          logger,
          nodeId,
          leaseMs,
          intervalMs: INTERVAL_MS,
          send: (records) => send(records, () => self),
          onBacklog: (count) => backlogs.push(count),
        }),
      };
      return self;
    },

    async clear() {
      for (const dispose of disposals.splice(0)) dispose();
      for (let shard = 0; shard < keyspace.shards; shard += 1) {
        await redis.del(keyspace.sharded(shard, "relay"), outcomesKey(keyspace, shard));
      }
    },
  };
}
