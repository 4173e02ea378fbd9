/** When to try again after a connection ended, decided from how it ended. No effects. */

export interface Ending {
  /** The WebSocket close code; 1006 where the network just went away. */
  readonly code: number;
  /** What a `going_away` frame asked for, if one came. */
  readonly goingAwayMs: number | undefined;
}

export interface RetryPlan {
  readonly delayMs: number;
  /** The token was refused or has run out: get another one first. */
  readonly renewToken: boolean;
}

const BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** The server said that it is full; coming back quickly would keep it so. */
const BUSY_BASE_DELAY_MS = 10_000;
const BUSY_MAX_DELAY_MS = 120_000;
/** After a restart everybody comes back; this spreads them a little further. */
const GOING_AWAY_SPREAD = 0.25;
/** Refusals in a row, each with a new token, after which asking again is pointless. */
const MAX_REFUSALS = 3;

const UNAUTHORIZED = 1008;
const TRY_AGAIN_LATER = 1013;

/** Doubles with each attempt; the second half of the delay is random, so that clients spread. */
function backoffMs(attempt: number, baseMs: number, maxMs: number, random: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/**
 * @param attempt failures in a row before this one, 0 after a connection that worked.
 * @param refusals refusals of the token in a row, this one included.
 * @param random in [0, 1).
 * @returns undefined when trying again cannot help: the person has to sign in anew.
 */
export function planRetry(
  ending: Ending,
  attempt: number,
  refusals: number,
  random: number,
): RetryPlan | undefined {
  if (ending.goingAwayMs !== undefined) {
    const delayMs = Math.round(ending.goingAwayMs * (1 + GOING_AWAY_SPREAD * random));
    return { delayMs, renewToken: false };
  }
  switch (ending.code) {
    case UNAUTHORIZED:
      if (refusals >= MAX_REFUSALS) return undefined;
      return {
        delayMs: backoffMs(attempt, BASE_DELAY_MS, MAX_DELAY_MS, random),
        renewToken: true,
      };
    case TRY_AGAIN_LATER:
      return {
        delayMs: backoffMs(attempt, BUSY_BASE_DELAY_MS, BUSY_MAX_DELAY_MS, random),
        // An address that sent too many bad tokens is answered so too; a new one gets in at once.
        renewToken: true,
      };
    default:
      return {
        delayMs: backoffMs(attempt, BASE_DELAY_MS, MAX_DELAY_MS, random),
        renewToken: false,
      };
  }
}
