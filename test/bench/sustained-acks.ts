/** A stretch of a closed loop: how many a second are acknowledged while as many are sent. */
import { setTimeout as delay } from "node:timers/promises";
import type { Audience } from "./audience.ts";
import { eachUs, startMeter } from "./meter.ts";
import type { Target } from "./target.ts";

export interface AckedStretch {
  readonly seconds: number;
  readonly acknowledged: number;
  readonly perSecond: number;
  /** The slowest and the fastest second within. */
  readonly slowestSecond: number;
  readonly fastestSecond: number;
  /** Processor time by process for each notification, background work included. */
  readonly eachUs: Readonly<Record<string, number>>;
  readonly othersShare: number;
}

const SECOND_MS = 1_000;

/** Watches for `seconds`, or until `ended`; something else keeps sending meanwhile. */
export async function measureAcked(
  target: Pick<Target, "pids">,
  audience: Audience,
  options: { readonly seconds: number; readonly ended?: () => boolean },
): Promise<AckedStretch> {
  const { seconds, ended = () => false } = options;
  const stopMeter = startMeter(target.pids);
  const startMs = performance.now();
  const marks = [{ atMs: startMs, count: audience.acknowledged() }];
  for (let second = 1; second <= seconds && !ended(); second += 1) {
    await delay(startMs + second * SECOND_MS - performance.now());
    marks.push({ atMs: performance.now(), count: audience.acknowledged() });
  }
  const { cpuMs, elapsedMs, othersShare } = stopMeter();
  const acknowledged = (marks.at(-1)?.count ?? 0) - (marks[0]?.count ?? 0);
  const rates = marks.slice(1).map(({ atMs, count }, at) => {
    const before = marks[at] ?? { atMs: startMs, count: 0 };
    return ((count - before.count) * SECOND_MS) / (atMs - before.atMs);
  });
  const each = Object.entries(cpuMs).map(([name, ms]) => [name, eachUs(ms, acknowledged)] as const);
  return {
    seconds: elapsedMs / SECOND_MS,
    acknowledged,
    perSecond: (acknowledged * SECOND_MS) / elapsedMs,
    slowestSecond: Math.min(...rates),
    fastestSecond: Math.max(...rates),
    eachUs: Object.fromEntries(each),
    othersShare,
  };
}
