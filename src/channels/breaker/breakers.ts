/** The circuit breakers of one channel: one for each provider it sends to, told apart by origin. */
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import {
  BREAKER_STATES,
  createBreaker,
  type Admission,
  type Breaker,
  type BreakerSettings,
  type BreakerState,
  type Verdict,
} from "./breaker.ts";

/** How a channel's providers are doing, as far as this process has found out. */
export interface ProviderHealth {
  /** `degraded`: some of them fail or ask for a pause; `unhealthy`: all that were asked fail. */
  readonly state: "healthy" | "degraded" | "unhealthy";
  /** Providers that are left alone for now. */
  readonly open: number;
  /** `keys_refused`: a push service does not take what is signed with our VAPID keys. */
  readonly reason?: "keys_refused" | undefined;
}

export interface Breakers {
  admit(origin: string): Admission;
  report(origin: string, period: number, verdict: Verdict): void;
  health(): ProviderHealth;
}

export interface BreakersOptions {
  readonly channel: "push" | "sms";
  readonly settings: BreakerSettings;
  readonly clock: Pick<Clock, "now">;
  /** 0 to 1. */
  readonly random: () => number;
  /** One of a few names for an origin, for metrics. */
  readonly labelOf: (origin: string) => string;
  /** Hears of each change: the worst state among the origins of a label. */
  readonly onState: (label: string, state: BreakerState) => void;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/** Push services are some four companies with a few dozen hosts each. Beyond: the least used ones go. */
export const MAX_ORIGINS = 256;
/** Where notes wait, each asks once a minute or two. One that nobody asks for so long is no news. */
const FORGET_MS = 300_000;

interface Entry {
  readonly breaker: Breaker;
  askedAt: number;
}

export function createBreakers(options: BreakersOptions): Breakers {
  const { channel, settings, clock, random, labelOf, logger } = options;
  /** Least recently asked first. */
  const entries = new Map<string, Entry>();

  function tell(label: string): void {
    let worst = 0;
    for (const [origin, { breaker }] of entries) {
      if (labelOf(origin) !== label) continue;
      worst = Math.max(worst, BREAKER_STATES.indexOf(breaker.state));
    }
    options.onState(label, BREAKER_STATES[worst] ?? "closed");
  }

  function changed(origin: string, from: BreakerState, to: BreakerState): void {
    const line = { event: "breaker.changed", channel, origin, from, to };
    if (to === "open") logger.warn(line, "a provider fails and is left alone for a while");
    else logger.info(line, "a circuit breaker changed");
    tell(labelOf(origin));
  }

  function forget(origin: string): void {
    entries.delete(origin);
    tell(labelOf(origin));
  }

  function makeRoom(): void {
    if (entries.size < MAX_ORIGINS) return;
    const atRest = [...entries].find(([, { breaker }]) => breaker.state === "closed")?.[0];
    const [oldest] = entries.keys();
    const victim = atRest ?? oldest;
    if (victim !== undefined) forget(victim);
  }

  function breakerOf(origin: string): Breaker {
    const known = entries.get(origin);
    if (known === undefined) makeRoom();
    else entries.delete(origin);
    const entry = known ?? { breaker: createBreaker(settings, random), askedAt: 0 };
    entry.askedAt = clock.now();
    entries.set(origin, entry);
    return entry.breaker;
  }

  /** Runs a step of a breaker and tells of what it changed. */
  function watch<T>(origin: string, breaker: Breaker, step: () => T): T {
    const from = breaker.state;
    const result = step();
    if (breaker.state !== from) changed(origin, from, breaker.state);
    return result;
  }

  return {
    admit(origin) {
      const breaker = breakerOf(origin);
      return watch(origin, breaker, () => breaker.admit(clock.now()));
    },

    report(origin, period, verdict) {
      const breaker = entries.get(origin)?.breaker;
      if (breaker === undefined) return;
      watch(origin, breaker, () => breaker.report(period, verdict, clock.now()));
    },

    health() {
      const now = clock.now();
      let open = 0;
      let weak = 0;
      for (const [origin, { breaker, askedAt }] of entries) {
        const isClosed = breaker.state === "closed";
        if (!isClosed && askedAt + FORGET_MS < now) forget(origin);
        else if (breaker.state === "open") open += 1;
        else if (!isClosed || breaker.isThrottled(now)) weak += 1;
      }
      if (open > 0 && open === entries.size) return { state: "unhealthy", open };
      return { state: open + weak > 0 ? "degraded" : "healthy", open };
    },
  };
}
