/** A clock that a test turns by hand. */
import type { Cancel, Clock } from "../../src/platform/clock.ts";

export interface ManualClock extends Clock {
  /** Moves time on and runs what falls due, in order of its time. */
  advance(ms: number): void;
}

interface Timer {
  at: number;
  readonly intervalMs: number | undefined;
  readonly task: () => void;
}

export function createManualClock(startMs = Date.UTC(2026, 8, 1, 8)): ManualClock {
  let now = startMs;
  const timers = new Set<Timer>();

  function arm(delayMs: number, intervalMs: number | undefined, task: () => void): Cancel {
    const timer: Timer = { at: now + Math.max(0, delayMs), intervalMs, task };
    timers.add(timer);
    return () => timers.delete(timer);
  }

  /** The earliest timer due by `until`; of equal ones the first that was set. */
  function earliest(until: number): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of timers) {
      if (timer.at <= until && (found === undefined || timer.at < found.at)) found = timer;
    }
    return found;
  }

  return {
    now: () => now,
    after: (delayMs, task) => arm(delayMs, undefined, task),
    every: (intervalMs, task) => arm(intervalMs, Math.max(1, intervalMs), task),

    advance(ms) {
      const until = now + ms;
      for (let timer = earliest(until); timer !== undefined; timer = earliest(until)) {
        now = timer.at;
        if (timer.intervalMs === undefined) timers.delete(timer);
        else timer.at += timer.intervalMs;
        timer.task();
      }
      now = until;
    },
  };
}
