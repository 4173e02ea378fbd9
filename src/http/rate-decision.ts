/** What the counts of a sliding window mean for one request, and the headers that say so. */
import { putHeader, type HeaderList } from "./header-list.ts";

export const WINDOW_MS = 60_000;

export interface RateCounts {
  readonly limit: number;
  /** Requests let through in this minute (this one included) and in the minute before. */
  readonly current: number;
  readonly previous: number;
  /** What has to be free for the request to pass when it is repeated: more than 1 for a bulk. */
  readonly needed: number;
}

export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until this minute's count starts to fade. */
  readonly resetSeconds: number;
  /** Seconds until the request fits; 0 when allowed. A whole window for one that never does. */
  readonly retryAfterSeconds: number;
}

/** Pure: turns counts into a decision's numbers. */
export function decideRate(counts: RateCounts, allowed: boolean, nowMs: number): RateDecision {
  const { limit, current, previous, needed } = counts;
  const elapsedMs = nowMs % WINDOW_MS;
  const used = previous * (1 - elapsedMs / WINDOW_MS) + current;
  return {
    allowed,
    limit,
    // Where a bulk does not fit, single requests may.
    remaining: allowed || needed > 1 ? Math.max(0, Math.floor(limit - used)) : 0,
    resetSeconds: Math.ceil((WINDOW_MS - elapsedMs) / 1_000),
    retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil(waitMs(counts, elapsedMs) / 1_000)),
  };
}

/** When the last minute has faded so far that the request fits, within this minute or the next. */
function waitMs({ limit, current, previous, needed }: RateCounts, elapsedMs: number): number {
  if (needed > limit) return WINDOW_MS;
  const room = limit - needed - current;
  if (room >= 0) return WINDOW_MS * (1 - room / Math.max(1, previous)) - elapsedMs;
  const fadedMs = WINDOW_MS * (1 - (limit - needed) / Math.max(1, current));
  return WINDOW_MS - elapsedMs + fadedMs;
}

/** `RateLimit-*` for every counted answer, `Retry-After` for a refusal. */
export function putRateHeaders(headers: HeaderList, decision: RateDecision): void {
  putHeader(headers, "RateLimit-Limit", String(decision.limit));
  putHeader(headers, "RateLimit-Remaining", String(decision.remaining));
  putHeader(headers, "RateLimit-Reset", String(decision.resetSeconds));
}
