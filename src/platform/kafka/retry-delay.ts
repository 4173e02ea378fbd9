/** How long to wait before the same is tried again: longer each time, and not all at the same moment. */

const FIRST_MS = 1_000;

/**
 * @param attempt how often it has failed, from 1
 * @param random from 0 to below 1
 * @returns between half and all of 1 s, 2 s, 4 s ... at most `longestMs`
 */
export function retryDelayMs(attempt: number, random: number, longestMs: number): number {
  const whole = Math.min(longestMs, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(whole * (0.5 + random / 2));
}
