/** The judgement of a soak: a leak is found under noise, and noise is not taken for one. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../support/random.ts";
import { afterWarmUp, judge, lowsOf, slopeOf, type Reading } from "./slope.ts";

const MB = 1_048_576;
const MINUTE_MS = 60_000;
const PER_HOUR = 1.5 * MB;

/** So many minutes of a heap that is about 60 MB, and grows by so much an hour. */
function heap(options: {
  readonly minutes: number;
  readonly perHour: number;
  readonly noise: number;
  readonly seed?: number;
}): Reading[] {
  const { minutes, perHour, noise, seed = 1 } = options;
  const random = createRandom(seed);
  return Array.from({ length: minutes }, (_, minute) => ({
    atMs: minute * MINUTE_MS,
    value: 60 * MB + (perHour * minute) / 60 + random.between(-noise, noise),
  }));
}

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);

describe("what a line through the samples says", () => {
  it("finds a leak of 6 MB an hour in 18 minutes, under noise of half a megabyte", () => {
    const verdicts = SEEDS.map((seed) =>
      judge(slopeOf(heap({ minutes: 18, perHour: 6 * MB, noise: 0.5 * MB, seed })), PER_HOUR),
    );

    expect(verdicts.filter((verdict) => verdict !== "grows")).toEqual([]);
  });

  it("takes noise alone for no leak", () => {
    const verdicts = SEEDS.map((seed) =>
      judge(slopeOf(heap({ minutes: 18, perHour: 0, noise: 0.5 * MB, seed })), PER_HOUR),
    );

    expect(verdicts.filter((verdict) => verdict === "grows")).toEqual([]);
  });

  it("does not say flat where the noise would hide a leak", () => {
    const coarse = slopeOf(heap({ minutes: 18, perHour: 0, noise: 20 * MB }));

    expect(judge(coarse, PER_HOUR)).toBe("unclear");
  });

  it("takes a heap that wanders for no leak, though its samples agree with their neighbours", () => {
    const wave = Array.from({ length: 120 }, (_, at) => ({
      atMs: at * 10_000,
      value: 60 * MB + 4 * MB * Math.sin(at / 15),
    }));

    expect(judge(slopeOf(wave), PER_HOUR)).not.toBe("grows");
  });

  it("measures the slope it was given", () => {
    const slope = slopeOf(heap({ minutes: 30, perHour: 12 * MB, noise: 0 }));

    expect(slope?.perHour).toBeCloseTo(12 * MB, 0);
    expect(slope?.error).toBeCloseTo(0, 0);
    expect((slope?.end ?? 0) - (slope?.start ?? 0)).toBeCloseTo((12 * MB * 29) / 60, 0);
  });

  it("says nothing of three samples, or of samples at one moment", () => {
    expect(judge(slopeOf(heap({ minutes: 3, perHour: 90 * MB, noise: 0 })), PER_HOUR)).toBe(
      "unclear",
    );
    expect(slopeOf(Array.from({ length: 9 }, () => ({ atMs: 0, value: 1 })))).toBeUndefined();
  });

  it("leaves out the first half of the time, in which caches fill up", () => {
    const filling = heap({ minutes: 41, perHour: 0, noise: 0 }).map(({ atMs, value }, at) => ({
      atMs,
      value: value + Math.min(at, 20) * MB,
    }));

    expect(judge(slopeOf(filling), PER_HOUR)).toBe("grows");
    expect(judge(slopeOf(afterWarmUp(filling)), PER_HOUR)).toBe("flat");
  });
});

describe("the lows of memory that is taken in bursts", () => {
  /** 18 minutes, a sample each 10 s; now and then 20 MB more for a minute or two. */
  function bursts(perHour: number, seed: number): Reading[] {
    const chance = createRandom(seed);
    let left = 0;
    return Array.from({ length: 108 }, (_, at) => {
      left = left > 0 ? left - 1 : chance.chance(0.06) ? Math.round(chance.between(3, 12)) : 0;
      const burst = left > 0 ? 20 * MB : 0;
      const value = 210 * MB + (perHour * at) / 360 + burst + chance.between(0, 2 * MB);
      return { atMs: at * 10_000, value };
    });
  }
  const verdictOf = (perHour: number, seed: number) =>
    judge(slopeOf(lowsOf(bursts(perHour, seed), 150_000)), 6 * MB);

  it("stand still whenever the bursts come", () => {
    expect(SEEDS.map((seed) => verdictOf(0, seed)).filter((it) => it === "grows")).toEqual([]);
  });

  it("rise with what is never given back", () => {
    expect(SEEDS.map((seed) => verdictOf(40 * MB, seed)).filter((it) => it !== "grows")).toEqual(
      [],
    );
  });
});
