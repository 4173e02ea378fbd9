/** Whether a figure grows: a straight line through its samples, and how sure one can be of its slope. */

/** One reading. */
export interface Reading {
  readonly atMs: number;
  readonly value: number;
}

export interface Slope {
  readonly samples: number;
  /** The line's own values at the first and the last sample. */
  readonly start: number;
  readonly end: number;
  readonly perHour: number;
  /** Two standard errors: the true slope lies within `perHour` and this, give or take, 95 times of 100. */
  readonly error: number;
}

export type Verdict = "flat" | "grows" | "unclear";

const HOUR_MS = 3_600_000;
const FEWEST_SAMPLES = 4;
const STANDARD_ERRORS = 2;
/** Noise that moves this slowly says next to nothing anew with each sample. */
const MOST_CORRELATION = 0.95;
/** An error of so many times what is allowed hides what is looked for. */
const TOO_COARSE = 3;

/** The later half of the time, in which whatever fills up at first is full. */
export function afterWarmUp(readings: readonly Reading[]): Reading[] {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) return [];
  const from = first.atMs + (last.atMs - first.atMs) / 2;
  return readings.filter(({ atMs }) => atMs >= from);
}

/**
 * The least of each window. A process takes pages for a burst and gives them back when it likes, minutes
 * later: its highs say when there was a burst. What is never given back raises the lows.
 */
export function lowsOf(readings: readonly Reading[], windowMs: number): Reading[] {
  const [first] = readings;
  if (first === undefined) return [];
  const windowOf = ({ atMs }: Reading): number => Math.floor((atMs - first.atMs) / windowMs);
  return [...Map.groupBy(readings, windowOf).values()].map((window) =>
    window.reduce((low, reading) => (reading.value < low.value ? reading : low)),
  );
}

/**
 * Least squares. Samples of one process are not independent (a heap that is high now is high in ten
 * seconds): the error is that of as many independent ones as they are worth.
 * @returns undefined if there are too few to tell
 */
export function slopeOf(readings: readonly Reading[]): Slope | undefined {
  const [first, last] = [readings[0], readings.at(-1)];
  const count = readings.length;
  if (first === undefined || last === undefined || count < FEWEST_SAMPLES) return undefined;
  const hours = readings.map(({ atMs }) => (atMs - first.atMs) / HOUR_MS);
  const middle = mean(hours);
  const level = mean(readings.map(({ value }) => value));
  const spread = sum(hours.map((hour) => (hour - middle) ** 2));
  if (spread === 0) return undefined;
  const perHour =
    sum(readings.map(({ value }, at) => ((hours[at] ?? 0) - middle) * (value - level))) / spread;
  const lineAt = (hour: number): number => level + perHour * (hour - middle);
  const residuals = readings.map(({ value }, at) => value - lineAt(hours[at] ?? 0));
  const variance = sum(residuals.map((residual) => residual ** 2)) / (count - 2);
  const correlation = Math.min(MOST_CORRELATION, Math.max(0, neighboursAgree(residuals)));
  const worth = (1 + correlation) / (1 - correlation);
  return {
    samples: count,
    start: lineAt(0),
    end: lineAt((last.atMs - first.atMs) / HOUR_MS),
    perHour,
    error: STANDARD_ERRORS * Math.sqrt((variance / spread) * worth),
  };
}

/** @param allowedPerHour what nobody would call a leak */
export function judge(slope: Slope | undefined, allowedPerHour: number): Verdict {
  if (slope === undefined) return "unclear";
  if (slope.perHour - slope.error > allowedPerHour) return "grows";
  return slope.error > TOO_COARSE * allowedPerHour ? "unclear" : "flat";
}

/** How much each residual says about the next: 0 nothing, 1 all. */
function neighboursAgree(residuals: readonly number[]): number {
  const whole = sum(residuals.map((residual) => residual ** 2));
  if (whole === 0) return 0;
  return sum(residuals.slice(1).map((residual, at) => residual * (residuals[at] ?? 0))) / whole;
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
