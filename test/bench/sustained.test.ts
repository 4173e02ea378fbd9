/** When the bench may say that a rate was kept up with. */
import { describe, expect, it } from "vitest";
import { judgeRate, type Timing } from "./sustained.ts";

/** One due each millisecond for ten seconds, each so much later on its socket. */
function timings(delayMs: (turn: number) => number | undefined): Timing[] {
  return Array.from({ length: 10_000 }, (_, turn) => {
    const late = delayMs(turn);
    return { intendedMs: turn, arrivedMs: late === undefined ? undefined : turn + late };
  });
}

describe("a rate", () => {
  it("is kept up with when all come at once", () => {
    const verdict = judgeRate(timings(() => 5));
    expect(verdict).toEqual({ kept: true, deliveredShare: 1, p99: [5, 5] });
  });

  it("is kept up with though one second of it stood still", () => {
    const stall = (turn: number): number => (turn > 3_000 && turn < 4_000 ? 4_000 - turn : 5);
    expect(judgeRate(timings(stall)).kept).toBe(true);
  });

  it("is not when a queue grows from beginning to end", () => {
    // A tenth more is offered than is done.
    const verdict = judgeRate(timings((turn) => turn / 10));
    expect(verdict.deliveredShare).toBeGreaterThan(0.99);
    expect(verdict.kept).toBe(false);
  });

  it("is not when more than one in a hundred is missing a second after the end", () => {
    expect(judgeRate(timings((turn) => (turn % 50 === 0 ? undefined : 5))).kept).toBe(false);
    expect(judgeRate(timings((turn) => (turn % 50 === 0 ? 30_000 : 5))).kept).toBe(false);
  });

  it("may lose its last moments to the waiting room within the limit", () => {
    expect(judgeRate(timings((turn) => (turn % 200 === 0 ? 1_500 : 5))).kept).toBe(true);
  });

  it("of nothing was not kept up with", () => {
    expect(judgeRate([]).kept).toBe(false);
  });
});
