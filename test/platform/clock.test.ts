/** The system's clock: never backwards, and patient with delays that Node's timers are not. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSystemClock } from "../../src/platform/clock.ts";

const DAY_MS = 86_400_000;

describe("now", () => {
  it("never steps back, whatever the correction", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -DAY_MS, max: DAY_MS })), (offsets) => {
        const clock = createSystemClock();
        let before = clock.now();
        for (const offset of offsets) {
          clock.setOffset(offset);
          const now = clock.now();
          expect(now).toBeGreaterThanOrEqual(before);
          before = now;
        }
      }),
    );
  });

  it("follows a correction forwards", () => {
    const clock = createSystemClock();
    const before = clock.now();
    clock.setOffset(DAY_MS);
    expect(clock.now() - before).toBeGreaterThanOrEqual(DAY_MS);
  });
});

describe("timers", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("fires after a delay longer than Node's timers can hold, and not at once", () => {
    const clock = createSystemClock();
    const task = vi.fn();
    clock.after(60 * DAY_MS, task);
    vi.advanceTimersByTime(59 * DAY_MS);
    expect(task).not.toHaveBeenCalled();
    vi.advanceTimersByTime(DAY_MS);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it("takes a delay in the past as now", () => {
    const task = vi.fn();
    createSystemClock().after(-5, task);
    vi.advanceTimersByTime(1);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it("can be cancelled, even after it was armed anew", () => {
    const clock = createSystemClock();
    const task = vi.fn();
    const cancel = clock.after(60 * DAY_MS, task);
    vi.advanceTimersByTime(30 * DAY_MS);
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(task).not.toHaveBeenCalled();
  });

  it("repeats until cancelled", () => {
    const task = vi.fn();
    const cancel = createSystemClock().every(1_000, task);
    vi.advanceTimersByTime(3_000);
    cancel();
    vi.advanceTimersByTime(3_000);
    expect(task).toHaveBeenCalledTimes(3);
  });
});
