/** The histogram behind `response_times`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, percentileMs } from "../../src/tracking/latency-buckets.ts";

describe("percentiles", () => {
  it("are never below the true value, and at most one bucket above", () => {
    const latencies = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1 });
    fc.assert(
      fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.99), (values, share) => {
        const counts = new Map<string, number>();
        for (const value of values) {
          counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
        }
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(values.length * share) - 1] ?? 0;
        const estimate = percentileMs(counts, share);
        expect(estimate).toBeGreaterThanOrEqual(exact);
        expect(bucketOf(estimate)).toBe(bucketOf(exact));
      }),
    );
  });

  it("are zero without any, and a minute for what is slower", () => {
    expect(percentileMs(new Map(), 0.99)).toBe(0);
    expect(percentileMs(new Map([[bucketOf(90_000), 1]]), 0.5)).toBe(60_000);
  });
});
