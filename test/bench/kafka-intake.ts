/** What it takes to read a heap of events that lies on the topic, and nothing else. */
import { setTimeout as delay } from "node:timers/promises";
import type { Intake } from "./kafka-reader.ts";
import { eachUs, startMeter } from "./meter.ts";

const POLL_MS = 10;
/** Without any event dealt with. */
const STALL_MS = 60_000;

export interface Drain {
  readonly target: string;
  readonly events: number;
  readonly perSecond: number;
  /** Processor time for each event, in microseconds. */
  readonly eachUs: Readonly<Record<string, number>>;
  /** Of all cores, the broker included. */
  readonly othersShare: number;
}

/** The time runs from the first event dealt with to the last. */
export async function measureIntake(intake: Intake, events: number): Promise<Drain> {
  const first = await untilTaken(intake, 1);
  const stopMeter = startMeter(intake.pids);
  const last = await untilTaken(intake, events);
  const { cpuMs, elapsedMs, othersShare } = stopMeter();
  const count = last - first;
  const each = Object.entries(cpuMs).map(([name, ms]) => [name, eachUs(ms, count)] as const);
  return {
    target: intake.name,
    events: count,
    perSecond: (count * 1_000) / elapsedMs,
    eachUs: Object.fromEntries(each),
    othersShare,
  };
}

async function untilTaken(intake: Intake, count: number): Promise<number> {
  let seen = 0;
  let changedAt = performance.now();
  for (;;) {
    const now = await intake.taken();
    if (now >= count) return now;
    if (now !== seen) changedAt = performance.now();
    seen = now;
    if (performance.now() - changedAt > STALL_MS) {
      throw new Error(`${intake.name}: only ${now} of ${count} events were dealt with`);
    }
    await delay(POLL_MS);
  }
}
