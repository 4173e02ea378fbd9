/** How long a subscription lives: what is not seen for weeks is warned about once, then removed. */
import type { StoredSubscription } from "./subscription-records.ts";

export interface LifeTimes {
  /** A browser that was not seen for so long is given up, ms. */
  readonly staleMs: number;
  /** Its person is told so long before, ms; shorter than `staleMs`. */
  readonly warningMs: number;
}

type Aging = Pick<StoredSubscription, "lastSeenAt" | "warnedAt" | "expirationTime">;

export type Attention =
  | { readonly kind: "wait"; readonly until: number }
  | { readonly kind: "warn"; readonly expiresAt: number }
  | { readonly kind: "remove"; readonly why: "expired" | "stale" };

/** The browser itself said until when; nothing is sent after that. */
export function hasExpired({ expirationTime }: Aging, now: number): boolean {
  return expirationTime !== undefined && expirationTime <= now;
}

/**
 * When it ends, epoch ms, unless its browser comes back. Nobody loses one unwarned: where the
 * warning comes late, as for what an older version left behind, so does the end.
 */
export function expiresAt(stored: Aging, { staleMs, warningMs }: LifeTimes, now: number): number {
  const staleAt = stored.lastSeenAt + staleMs;
  const warnedAt = stored.warnedAt ?? Math.max(staleAt - warningMs, now);
  return Math.min(
    stored.expirationTime ?? Number.POSITIVE_INFINITY,
    Math.max(staleAt, warnedAt + warningMs),
  );
}

/** What is to be done about it now, or when to look again. */
export function attentionOf(stored: Aging, times: LifeTimes, now: number): Attention {
  if (hasExpired(stored, now)) return { kind: "remove", why: "expired" };
  const end = expiresAt(stored, times, now);
  if (stored.warnedAt !== undefined) {
    return end <= now ? { kind: "remove", why: "stale" } : { kind: "wait", until: end };
  }
  const warnAt = stored.lastSeenAt + times.staleMs - times.warningMs;
  if (warnAt <= now) return { kind: "warn", expiresAt: end };
  return { kind: "wait", until: Math.min(warnAt, end) };
}
