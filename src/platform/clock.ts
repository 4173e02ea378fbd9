/** Time, injected everywhere, so that tests turn the clock themselves. */

export type Cancel = () => void;

export interface Clock {
  /** Epoch milliseconds; never steps back. */
  now(): number;
  /** Runs `task` once after `delayMs`. Delays beyond 2^31 ms, which Node fires at once, are re-armed. */
  after(delayMs: number, task: () => void): Cancel;
  /** Runs `task` every `intervalMs` until cancelled. */
  every(intervalMs: number, task: () => void): Cancel;
}

/** The clock of a process, which is set by what all processes share. */
export interface SystemClock extends Clock {
  /**
   * Epoch milliseconds as this process reckons them itself: what the time it is set by is compared
   * with. It began as the machine's clock and goes on evenly, whatever that is set to since.
   */
  reckoned(): number;
  /** How far the shared time is ahead of what is reckoned here, in milliseconds. */
  setOffset(offsetMs: number): void;
}

/** The longest delay a Node timer keeps. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The system's clock, monotonic, corrected by `setOffset` to the server that all processes share.
 * A correction backwards holds time still instead of turning it back.
 */
export function createSystemClock(): SystemClock {
  const startedAt = Date.now() - performance.now();
  let offsetMs = 0;
  let latest = 0;

  const reckoned = (): number => startedAt + performance.now();

  const now = (): number => {
    latest = Math.max(latest, Math.floor(reckoned() + offsetMs));
    return latest;
  };

  const after = (delayMs: number, task: () => void): Cancel => {
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      timer =
        remainingMs > MAX_TIMER_MS
          ? setTimeout(() => arm(remainingMs - MAX_TIMER_MS), MAX_TIMER_MS)
          : setTimeout(task, Math.max(0, remainingMs));
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  };

  return {
    now,
    reckoned,
    after,
    every(intervalMs, task) {
      const timer = setInterval(task, intervalMs);
      return () => clearInterval(timer);
    },
    setOffset(value) {
      offsetMs = value;
    },
  };
}
