/** Retries wait longer each time, honour what providers ask, and end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs, nextLookAt, nextTryAt } from "../../src/queue/retry-policy.ts";

const random = fc.double({ min: 0, max: 1, noNaN: true });

describe("the backoff", () => {
  it("stays within its bounds, for any try and any dice", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), random, (attempt, dice) => {
        const delay = backoffMs(attempt, dice);
        expect(delay).toBeGreaterThanOrEqual(500);
        expect(delay).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  it("grows from try to try for the same dice, up to its ceiling", () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), random, (attempt, dice) => {
        expect(backoffMs(attempt + 1, dice)).toBeGreaterThanOrEqual(backoffMs(attempt, dice));
      }),
    );
  });

  it("is at least what the provider asked for, and no longer than its own or that", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 20 }),
        random,
        fc.nat({ max: 10_000_000 }),
        (attempt, dice, asked) => {
          const delay = backoffMs(attempt, dice, asked);
          expect(delay).toBe(Math.max(asked, backoffMs(attempt, dice)));
        },
      ),
    );
  });
});

describe("the next try", () => {
  const question = {
    stage: "push",
    now: 100_000,
    stageStartedAt: 100_000,
    askedMs: undefined,
    budgetMs: undefined,
    hasNext: false,
    random: 0.5,
  } as const;

  it("comes as late as the provider wants, unless another channel is sooner", () => {
    const asked = { ...question, attempts: 1, askedMs: 1_800_000 };
    expect(nextTryAt(asked)).toBe(question.now + 1_800_000);
    expect(nextTryAt({ ...asked, hasNext: true })).toBeUndefined();
    expect(nextTryAt({ ...asked, hasNext: true, askedMs: 60_000 })).toBe(question.now + 60_000);
  });

  it("comes to an end on every stage", () => {
    for (const stage of ["websocket", "push", "sms"] as const) {
      let attempts = 1;
      while (nextTryAt({ ...question, stage, attempts }) !== undefined) attempts += 1;
      expect(attempts).toBeLessThan(10);
    }
  });

  it("is not made if it would come after the time a critical one has", () => {
    expect(nextTryAt({ ...question, attempts: 1, budgetMs: 10_000 })).toBeDefined();
    expect(
      nextTryAt({ ...question, attempts: 1, budgetMs: 10_000, askedMs: 60_000 }),
    ).toBeUndefined();
    const late = { ...question, attempts: 1, budgetMs: 10_000, now: 109_900 };
    expect(nextTryAt(late)).toBeUndefined();
  });
});

describe("the next look at a note whose provider may not be asked", () => {
  const question = fc.record({
    // Around the ends of patience, where it matters.
    now: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 2_000_000 })),
    until: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000_000 })),
    askedMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
    stageStartedAt: fc.constant(0),
    hasNext: fc.boolean(),
    budgetMs: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
    // Doubles that are drawn from all that there are lie next to 0, nearly always.
    random: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
  });

  it("comes neither before it may be asked nor after the patience for it", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const at = nextLookAt(asked);
        const patienceMs = Math.min(
          asked.hasNext ? 60_000 : 1_800_000,
          asked.budgetMs ?? Number.POSITIVE_INFINITY,
        );
        const told = asked.now + (asked.askedMs ?? 0);
        const earliest = Math.max(told, asked.until);
        if (earliest >= patienceMs) expect(at).toBeUndefined();
        else {
          expect(at).toBeGreaterThanOrEqual(earliest);
          expect(at).toBeLessThanOrEqual(patienceMs);
        }
      }),
    );
  });
});
