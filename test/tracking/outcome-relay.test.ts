/** Outcomes reach other services at least once and in order. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { OutcomeEvent } from "../../src/contract/outcome-event.ts";
import type { TestLedger } from "./test-ledger.ts";
import {
  INTERVAL_MS,
  openTestRelays,
  parseOutcomes,
  RELAY_LEASE_MS,
  type TestRelays,
} from "./test-relays.ts";

let relays: TestRelays;
let book: TestLedger;

beforeAll(async () => {
  relays = await openTestRelays();
  book = relays.book;
});
afterEach(() => relays.clear());
afterAll(() => book.store.close());

const leaseOf = (userId: string): string => book.key(userId, "relay");

describe("the relay", () => {
  it("sends all that waits, in order, in bounded portions, and takes away what it sent", async () => {
    await relays.settle("anna", 1_200);
    await relays.settle("bo", 3);
    const expected = await book.outcomes("anna");
    const sent: OutcomeEvent[] = [];
    const sizes: number[] = [];
    const { relay, backlogs } = await relays.openRelay(async (records) => {
      sizes.push(records.length);
      sent.push(...parseOutcomes(records));
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
    await relays.settle("cy", 1);
    const tries: number[] = [];
    const { relay, clock } = await relays.openRelay(async () => {
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
    await relays.settle("di", 2);
    const release = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const first = await relays.openRelay(async () => {
      began.resolve();
      await release.promise;
    });
    const sentBySecond: OutcomeEvent[] = [];
    const second = await relays.openRelay(
      async (records) => void sentBySecond.push(...parseOutcomes(records)),
    );
    const sending = first.relay.poll();
    await began.promise;
    // Most of the lease goes by, and the sender keeps it.
    await book.store.redis.pexpire(leaseOf("di"), RELAY_LEASE_MS / 10);
    first.clock.advance(RELAY_LEASE_MS / 2);
    await expect
      .poll(() => book.store.redis.pttl(leaseOf("di")))
      .toBeGreaterThan(RELAY_LEASE_MS / 2);
    expect(await second.relay.poll()).toBe(0);
    release.resolve();
    expect(await sending).toBe(2);

    // It keeps the shard, and gives it back when it stops.
    await relays.settle("di", 1);
    expect(await second.relay.poll()).toBe(0);
    await first.relay.close();
    expect(await second.relay.poll()).toBe(1);
    expect(sentBySecond).toHaveLength(1);
    await second.relay.close();
  });

  it("finishes what it is sending when the process stops, and begins nothing more", async () => {
    await relays.settle("eve", 700);
    const began = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let sent = 0;
    const { relay } = await relays.openRelay(async (records) => {
      began.resolve();
      await release.promise;
      sent += records.length;
    });
    void relay.poll();
    await began.promise;
    const closed = relay.close();
    release.resolve();
    await closed;
    expect(sent).toBeGreaterThan(0);
    expect(sent + (await book.ledger.outcomeBacklog())).toBe(700);
    expect(sent).toBeLessThanOrEqual(500);
    expect(await book.store.redis.exists(leaseOf("eve"))).toBe(0);
  });

  it("does not hold up the stop of its process when Kafka is silent, and loses nothing", async () => {
    await relays.settle("fay", 2);
    const began = Promise.withResolvers<void>();
    const { relay, clock } = await relays.openRelay(async () => {
      began.resolve();
      await new Promise(() => {});
    });
    void relay.poll();
    await began.promise;
    const closed = relay.close();
    clock.advance(RELAY_LEASE_MS);
    await closed;
    expect(await book.ledger.outcomeBacklog()).toBe(2);
    expect(await book.store.redis.exists(leaseOf("fay"))).toBe(1);
  });

  it("is not held up by an entry that nobody can read", async () => {
    await relays.settle("flo", 1);
    const facts = `a b c d e f ${Date.now()}\n{}`;
    const nobodyCanRead = [
      ["step", "nonsense"],
      ["step", `settled an-id ${Date.now()}`, "record", "anna\n{}\n\n=1 2 3"],
      ["step", "nonsense an-id 1", "record", `${facts}\n\n=1 1 delivered`],
      ["step", `settled an-id ${Date.now()}`, "record", `${facts}\n\n=1 1 delivered`],
    ];
    for (const fields of nobodyCanRead) {
      await book.store.redis.xadd(book.key("flo", "told"), "*", ...fields);
    }
    await relays.settle("flo", 1);
    const sent: OutcomeEvent[] = [];
    const { relay } = await relays.openRelay(
      async (records) => void sent.push(...parseOutcomes(records)),
    );
    expect(await relay.poll()).toBe(2);
    expect(sent.map(({ data }) => data.user_id)).toEqual(["flo", "flo"]);
    expect(await book.ledger.outcomeBacklog()).toBe(0);
    await relay.close();
  });
});
