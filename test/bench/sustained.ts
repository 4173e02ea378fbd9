/** Whether deliveries kept up with a rate that was offered. Pure, so that tests can try it. */
import { distributionOf } from "./distribution.ts";

export interface Timing {
  readonly intendedMs: number;
  /** Undefined: it never came. */
  readonly arrivedMs: number | undefined;
}

export interface Verdict {
  readonly kept: boolean;
  /** Of all that was offered, what had come `GRACE_MS` after the last was due. */
  readonly deliveredShare: number;
  /** In ms: what was due in the first and in the second half. */
  readonly p99: readonly [firstHalf: number, secondHalf: number];
}

const GRACE_MS = 1_000;
const NEEDED_SHARE = 0.99;
/** A queue that grows doubles its waiting time from one half to the other, and soon exceeds this. */
const GROWTH = 2;
const UNNOTICED_MS = 100;

/**
 * A rate is sustained if, a second after the last was due, 99% of all that was offered had come, and
 * if the p99 did not grow: that of the second half is below 100 ms or less than twice the first's.
 */
export function judgeRate(timings: readonly Timing[]): Verdict {
  const endMs = Math.max(...timings.slice(-1).map(({ intendedMs }) => intendedMs)) + GRACE_MS;
  const inTime = timings.filter(({ arrivedMs }) => arrivedMs !== undefined && arrivedMs <= endMs);
  const half = Math.floor(timings.length / 2);
  const p99Of = (part: readonly Timing[]): number =>
    distributionOf(
      part.map(({ intendedMs, arrivedMs = Number.POSITIVE_INFINITY }) => arrivedMs - intendedMs),
    ).p99;
  const p99 = [p99Of(timings.slice(0, half)), p99Of(timings.slice(half))] as const;
  const deliveredShare = inTime.length / Math.max(1, timings.length);
  const grew = p99[1] > UNNOTICED_MS && p99[1] >= GROWTH * p99[0];
  return { kept: deliveredShare >= NEEDED_SHARE && !grew, deliveredShare, p99 };
}
