/** How many notifications a second are acknowledged between two moments, and at what cost. */
import type { Audience } from "./audience.ts";
import { eachUs, startMeter } from "./meter.ts";
import type { Target } from "./target.ts";

export interface AckedStretch {
  readonly seconds: number;
  readonly acknowledged: number;
  readonly perSecond: number;
  /** Of the whole seconds within. */
  readonly slowestSecond: number;
  /** Processor time by process for each notification, background work included. */
  readonly eachUs: Readonly<Record<string, number>>;
  readonly othersShare: number;
}

const SECOND_MS = 1_000;

/** Begins to measure, while something else sends. @returns how to end it */
export function startAckMeter(
  target: Pick<Target, "pids">,
  audience: Pick<Audience, "acknowledged" | "arrivals">,
): () => AckedStretch {
  const stopMeter = startMeter(target.pids);
  const startMs = performance.now();
  const first = audience.acknowledged();
  const firstArrival = audience.arrivals.length;
  return () => {
    const { cpuMs, elapsedMs, othersShare } = stopMeter();
    const acknowledged = audience.acknowledged() - first;
    const times = audience.arrivals.slice(firstArrival).map(({ atMs }) => atMs);
    const each = Object.entries(cpuMs).map(
      ([name, ms]) => [name, eachUs(ms, acknowledged)] as const,
    );
    return {
      seconds: elapsedMs / SECOND_MS,
      acknowledged,
      perSecond: (acknowledged * SECOND_MS) / elapsedMs,
      slowestSecond: slowestSecond(times, startMs, elapsedMs),
      eachUs: Object.fromEntries(each),
      othersShare,
    };
  };
}

/** How many came in the whole second in which the fewest came; NaN if none was whole. */
export function slowestSecond(
  times: readonly number[],
  startMs: number,
  elapsedMs: number,
): number {
  const counts = Array.from({ length: Math.floor(elapsedMs / SECOND_MS) }, () => 0);
  for (const atMs of times) {
    const second = Math.floor((atMs - startMs) / SECOND_MS);
    const count = counts[second];
    if (count !== undefined) counts[second] = count + 1;
  }
  return counts.length === 0 ? Number.NaN : Math.min(...counts);
}
