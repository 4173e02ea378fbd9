/** Outcomes reach other services whatever fails on the way: at random, many times over. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { OutcomeEvent } from "../../src/contract/outcome-event.ts";
import type { OutgoingRecord } from "../../src/platform/kafka/records.ts";
import type { TestLedger } from "./test-ledger.ts";
import { openTestRelays, parseOutcomes, type TestRelay, type TestRelays } from "./test-relays.ts";

let relays: TestRelays;
let book: TestLedger;

beforeAll(async () => {
  relays = await openTestRelays();
  book = relays.book;
});
afterEach(() => relays.clear());
afterAll(() => book.store.close());

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
      const all = parseOutcomes(records);
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
        relays.openRelay(
          (records, self) => {
            const kind = faults[index] ?? "none";
            faults[index] = "none";
            return topic.write(records, kind, () => self().die());
          },
          { leaseMs: SHORT_LEASE_MS },
        );
      const pair = [await open(0), await open(1)];
      const expected = new Map<string, OutcomeEvent>();
      for (const round of script) {
        for (const [user, count] of round.outcomes) await relays.settle(users[user] ?? "", count);
        for (const user of users) {
          for (const event of await book.outcomes(user)) expected.set(event.event_id, event);
        }
        faults.splice(0, 2, ...round.faults);
        const polls = await Promise.allSettled(pair.map(({ relay }) => relay.poll()));
        for (const [index, poll] of polls.entries()) {
          if (poll.status === "rejected") pair[index] = await open(index);
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
