/** Outcomes reach other services at least once and in order, whatever fails on the way. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { outcomeEventSchema, type OutcomeEvent } from "../../src/contract/outcome-event.ts";
import type { OutgoingRecord } from "../../src/platform/kafka/records.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { createOutcomeRelay, type OutcomeRelay } from "../../src/tracking/outcome-relay.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

const INTERVAL_MS = 250;
const LEASE_MS = 10_000;
const logger = createSilentLogger();
let book: TestLedger;
const disposals: (() => void)[] = [];

beforeAll(async () => {
  // All but the first notification of a minute are held back: one outcome each, in one step.
  book = await openTestLedger({ outcomes: true, recipientLimitPerMinute: 1 });
});

afterEach(async () => {
  for (const dispose of disposals.splice(0)) dispose();
  const { redis, keyspace } = book.store;
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    await redis.del(keyspace.sharded(shard, "relay"), keyspace.sharded(shard, "outcomes"));
  }
});

afterAll(async () => {
  await book.store.close();
});

/** Makes `count` outcomes of one user. */
async function settle(userId: string, count: number): Promise<void> {
  book.clock.advance(60_000);
  const drafts = Array.from({ length: count + 1 }, () => book.draft({ userId, priority: "low" }));
  await book.ledger.accept(drafts);
}

function parse(records: readonly OutgoingRecord[]): OutcomeEvent[] {
  return records.map(({ key, value }) => {
    const event = outcomeEventSchema.parse(JSON.parse(String(value)));
    expect(key).toBe(event.data.user_id);
    return event;
  });
}

interface TestRelay {
  readonly relay: OutcomeRelay;
  readonly clock: ManualClock;
  readonly backlogs: number[];
  /** What a process that dies does to its connections. */
  die(): void;
}

/** A relay as a process of its own has it. */
async function openRelay(
  send: (records: readonly OutgoingRecord[], self: () => TestRelay) => Promise<void>,
  { leaseMs = LEASE_MS, nodeId = crypto.randomUUID() } = {},
): Promise<TestRelay> {
  const redis = connectRedis(book.store.url, "command");
  await waitForRedis(redis, logger);
  disposals.push(() => redis.disconnect());
  const clock = createManualClock();
  const backlogs: number[] = [];
  const self: TestRelay = {
    clock,
    backlogs,
    die: () => redis.disconnect(),
    relay: createOutcomeRelay({
      redis,
      keyspace: book.store.keyspace,
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
}

const leaseOf = (userId: string): string => book.key(userId, "relay");

describe("the relay", () => {
  it("sends all that waits, in order, in bounded portions, and takes away what it sent", async () => {
    await settle("anna", 1_200);
    await settle("bo", 3);
    const expected = await book.outcomes("anna");
    const sent: OutcomeEvent[] = [];
    const sizes: number[] = [];
    const { relay, backlogs } = await openRelay(async (records) => {
      sizes.push(records.length);
      sent.push(...parse(records));
    });
    expect(await relay.poll()).toBe(1_203);
    expect(sent.filter(({ data }) => data.user_id === "anna")).toEqual(expected);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(await book.ledger.outcomeBacklog()).toBe(0);
    expect(await relay.poll()).toBe(0);
    expect(backlogs).toEqual([1_203, 0]);
    await relay.close();
  });

  it("looks by itself, and less often while nothing can be sent", async () => {
    await settle("cy", 1);
    const tries: number[] = [];
    const { relay, clock } = await openRelay(async () => {
      tries.push(clock.now());
      if (tries.length < 4) throw new Error("the broker is away");
    });
    const startedAt = clock.now();
    relay.start();
    const passTime = (): number => {
      clock.advance(INTERVAL_MS / 10);
      return tries.length;
    };
    await expect.poll(passTime, { interval: 1 }).toBe(4);
    await expect.poll(() => book.ledger.outcomeBacklog()).toBe(0);
    const waits = tries.map((at, index) => at - (tries[index - 1] ?? startedAt));
    [1, 2, 4, 8].forEach((times, index) => {
      expect(waits[index]).toBeGreaterThanOrEqual(times * INTERVAL_MS);
    });
    await relay.close();
  });

  it("leaves a shard to the process that sends it, for as long as that takes", async () => {
    await settle("di", 2);
    const release = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const first = await openRelay(async () => {
      began.resolve();
      await release.promise;
    });
    const sentBySecond: OutcomeEvent[] = [];
    const second = await openRelay(async (records) => void sentBySecond.push(...parse(records)));
    const sending = first.relay.poll();
    await began.promise;
    // Most of the lease goes by, and the sender keeps it.
    await book.store.redis.pexpire(leaseOf("di"), LEASE_MS / 10);
    first.clock.advance(LEASE_MS / 2);
    await expect.poll(() => book.store.redis.pttl(leaseOf("di"))).toBeGreaterThan(LEASE_MS / 2);
    expect(await second.relay.poll()).toBe(0);
    release.resolve();
    expect(await sending).toBe(2);

    // It keeps the shard, and gives it back when it stops.
    await settle("di", 1);
    expect(await second.relay.poll()).toBe(0);
    await first.relay.close();
    expect(await second.relay.poll()).toBe(1);
    expect(sentBySecond).toHaveLength(1);
    await second.relay.close();
  });

  it("finishes what it is sending when the process stops, and begins nothing more", async () => {
    await settle("eve", 700);
    const began = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let sent = 0;
    const { relay } = await openRelay(async (records) => {
      began.resolve();
      await release.promise;
      sent += records.length;
    });
    void relay.poll();
    await began.promise;
    const closed = relay.close();
    release.resolve();
    await closed;
    expect(sent).toBe(500);
    expect(await book.ledger.outcomeBacklog()).toBe(200);
    expect(await book.store.redis.exists(leaseOf("eve"))).toBe(0);
  });

  it("does not hold up the stop of its process when Kafka is silent, and loses nothing", async () => {
    await settle("fay", 2);
    const began = Promise.withResolvers<void>();
    const { relay, clock } = await openRelay(async () => {
      began.resolve();
      await new Promise(() => {});
    });
    void relay.poll();
    await began.promise;
    const closed = relay.close();
    clock.advance(LEASE_MS);
    await closed;
    expect(await book.ledger.outcomeBacklog()).toBe(2);
    expect(await book.store.redis.exists(leaseOf("fay"))).toBe(1);
  });

  it("is not held up by an entry that nobody can read", async () => {
    await settle("flo", 1);
    await book.store.redis.xadd(book.key("flo", "outcomes"), "*", "outcome", "nonsense");
    await settle("flo", 1);
    const sent: OutcomeEvent[] = [];
    const { relay } = await openRelay(async (records) => void sent.push(...parse(records)));
    expect(await relay.poll()).toBe(2);
    expect(sent.map(({ data }) => data.user_id)).toEqual(["flo", "flo"]);
    expect(await book.ledger.outcomeBacklog()).toBe(0);
    await relay.close();
  });
});

const fault = fc.constantFrom("none", "none", "refused", "half", "killed" as const);
const rounds = fc.array(
  fc.record({
    outcomes: fc.array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 4 })), {
      maxLength: 4,
    }),
    faults: fc.tuple(fault, fault),
  }),
  { minLength: 1, maxLength: 8 },
);

/** A topic in memory, written to by a publisher that does what it is told. */
function createTopic() {
  const events: OutcomeEvent[] = [];
  return {
    events,
    async write(records: readonly OutgoingRecord[], kind: string, die: () => void): Promise<void> {
      const all = parse(records);
      if (kind === "refused") throw new Error("the broker is away");
      if (kind === "half") {
        events.push(...all.slice(0, Math.ceil(all.length / 2)));
        throw new Error("the answer was lost");
      }
      events.push(...all);
      if (kind === "killed") die();
    },
  };
}

describe("two relays of which both fail and die at random", () => {
  const SHORT_LEASE_MS = 40;

  it("send every outcome, a person's in order, and the same one under the same id", async () => {
    let runs = 0;
    let repeated = 0;
    const property = fc.asyncProperty(rounds, async (script) => {
      runs += 1;
      const users = [0, 1, 2].map((user) => `run-${runs}-${user}`);
      const topic = createTopic();
      const faults = ["none", "none"];
      const open = (index: number): Promise<TestRelay> =>
        openRelay(
          (records, self) => {
            const kind = faults[index] ?? "none";
            faults[index] = "none";
            return topic.write(records, kind, () => self().die());
          },
          { leaseMs: SHORT_LEASE_MS },
        );
      const relays = [await open(0), await open(1)];
      const expected = new Map<string, OutcomeEvent>();
      for (const round of script) {
        for (const [user, count] of round.outcomes) await settle(users[user] ?? "", count);
        for (const user of users) {
          for (const event of await book.outcomes(user)) expected.set(event.event_id, event);
        }
        faults.splice(0, 2, ...round.faults);
        const polls = await Promise.allSettled(relays.map(({ relay }) => relay.poll()));
        for (const [index, poll] of polls.entries()) {
          if (poll.status === "rejected") relays[index] = await open(index);
        }
      }
      faults.fill("none");
      const last = await open(0);
      // A dead process' lease has to run out.
      await expect
        .poll(async () => {
          await last.relay.poll();
          return await book.ledger.outcomeBacklog();
        })
        .toBe(0);

      const first = new Map<string, OutcomeEvent>();
      for (const event of topic.events) {
        expect(event).toEqual(expected.get(event.event_id));
        if (first.has(event.event_id)) repeated += 1;
        else first.set(event.event_id, event);
      }
      for (const user of users) {
        const of = (events: Map<string, OutcomeEvent>): string[] =>
          [...events.values()]
            .filter(({ data }) => data.user_id === user)
            .map((one) => one.event_id);
        expect(of(first)).toEqual(of(expected));
      }
    });
    await fc.assert(property, { numRuns: 30 });
    // Otherwise no fault came between sending and taking away.
    expect(repeated).toBeGreaterThan(0);
  });
});
