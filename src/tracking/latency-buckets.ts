/** A fixed histogram from acceptance to settling: counters that add up over days and shards. */

/** Upper bounds in ms, 1 ms to 60 s; the last bucket holds all that is slower. */
export const BUCKET_BOUNDS_MS = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000,
  5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000,
] as const;

/** The field name of the bucket that this latency falls in. */
export function bucketOf(latencyMs: number): string {
  const bound = BUCKET_BOUNDS_MS.find((candidate) => latencyMs <= candidate);
  return `latency.${bound ?? "slower"}`;
}

/** The latency that a share of all stayed within, ms; 0 without any. An upper bound by bucket. */
export function percentileMs(counts: ReadonlyMap<string, number>, share: number): number {
  const total = [...counts.values()].reduce((sum, value) => sum + value, 0);
  if (total === 0) return 0;
  let seen = 0;
  for (const bound of BUCKET_BOUNDS_MS) {
    seen += counts.get(`latency.${bound}`) ?? 0;
    if (seen >= total * share) return bound;
  }
  return 60_000;
}
