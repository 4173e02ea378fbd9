/**
 * One circuit breaker: whether a provider is asked at all. It looks at what became of requests, and
 * leaves a provider alone that keeps failing, so that notes wait instead of using up their tries.
 *
 *   closed ──(failures in a row)──► open ──(cool-down over)──► half_open ──(probe is well)──► closed
 *                                     ▲                            │
 *                                     └──────(probe is unwell)─────┘
 *
 * Its state is this process' own: each learns for itself, within a few requests.
 */

/** What a request says about its provider's health. */
export type Verdict =
  | { readonly kind: "well" }
  /** It failed as one that is down does; it may have asked for a pause (503 with `Retry-After`). */
  | { readonly kind: "unwell"; readonly askedMs?: number | undefined }
  /** It works, and asks for fewer requests. */
  | { readonly kind: "throttled"; readonly askedMs?: number | undefined }
  /** Nothing: an address that is gone, a message it refuses, or no request after all. */
  | { readonly kind: "nothing" };

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** The first cool-down; each next one is twice as long. */
  readonly firstCoolDownMs: number;
  readonly maxCoolDownMs: number;
  /** After so long a probe that nobody reported is given up. Longer than any request takes. */
  readonly probeMs: number;
}

export const BREAKER_STATES = ["closed", "half_open", "open"] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** Leave to make one request, whose result must be reported; or when to ask again, epoch ms. */
export type Admission =
  | {
      readonly kind: "admitted";
      readonly period: number;
      /** It finds out whether the provider is back: that it fails is to be expected. */
      readonly isProbe: boolean;
    }
  | { readonly kind: "held"; readonly until: number };

export interface Breaker {
  admit(now: number): Admission;
  /** `period` is that of the admission: what began before the last change of state says nothing. */
  report(period: number, verdict: Verdict, now: number): void;
  readonly state: BreakerState;
  /** Held back for being asked too often. */
  isThrottled(now: number): boolean;
}

/** While a probe is under way, others look again so much later: most answers take less. */
const PROBE_LOOK_MS = 1_000;
/**
 * How long an origin is held back at one answer of 429. It may be meant for one address alone, which
 * waits for as long as it was asked to; the next answer holds the others back once more.
 */
export const MAX_THROTTLE_MS = 60_000;

/** @param random 0 to 1: processes must not all ask again at once */
export function createBreaker(settings: BreakerSettings, random: () => number): Breaker {
  let state: BreakerState = "closed";
  /** In a row. */
  let failures = 0;
  /** Openings since a request other than a probe was well. */
  let openings = 0;
  let openUntil = 0;
  let throttledUntil = 0;
  /** Raised with each change of state. */
  let period = 0;
  let probeSince: number | undefined;

  function enter(next: BreakerState): void {
    state = next;
    period += 1;
    failures = 0;
    probeSince = undefined;
  }

  function open(now: number, askedMs = 0): void {
    const longest = Math.min(
      settings.firstCoolDownMs * 2 ** Math.min(openings, 16),
      settings.maxCoolDownMs,
    );
    const coolDown = Math.round(longest * (0.5 + random() / 2));
    openings += 1;
    enter("open");
    openUntil = now + Math.max(coolDown, Math.min(askedMs, settings.maxCoolDownMs));
  }

  function throttle(now: number, askedMs: number | undefined): void {
    // Without a time the notes' own backoff is enough.
    if (askedMs === undefined) return;
    throttledUntil = Math.max(throttledUntil, now + Math.min(askedMs, MAX_THROTTLE_MS));
  }

  function reportProbe(verdict: Verdict, now: number): void {
    switch (verdict.kind) {
      case "well":
      case "throttled":
        enter("closed");
        return;
      case "unwell":
        open(now, verdict.askedMs);
        return;
      case "nothing":
        probeSince = undefined;
    }
  }

  function reportUsual(verdict: Verdict, now: number): void {
    switch (verdict.kind) {
      case "well":
        failures = 0;
        openings = 0;
        return;
      case "unwell":
        failures += 1;
        if (failures >= settings.failures) open(now, verdict.askedMs);
        return;
      case "throttled":
      case "nothing":
    }
  }

  return {
    admit(now) {
      if (throttledUntil > now) return { kind: "held", until: throttledUntil };
      if (state === "closed") return { kind: "admitted", period, isProbe: false };
      if (state === "open") {
        if (now < openUntil) return { kind: "held", until: openUntil };
        enter("half_open");
      }
      const isProbed = probeSince !== undefined && now < probeSince + settings.probeMs;
      if (isProbed) return { kind: "held", until: now + PROBE_LOOK_MS };
      probeSince = now;
      period += 1;
      return { kind: "admitted", period, isProbe: true };
    },

    report(reported, verdict, now) {
      if (verdict.kind === "throttled") throttle(now, verdict.askedMs);
      if (reported !== period) return;
      if (state === "half_open") reportProbe(verdict, now);
      else if (state === "closed") reportUsual(verdict, now);
    },

    get state() {
      return state;
    },
    isThrottled: (now) => throttledUntil > now,
  };
}
