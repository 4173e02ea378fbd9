/** How patient the circuit breakers of each channel are, and what metrics call their providers. */
import type { BreakerSettings } from "./breaker.ts";

/** Longer than any request may take: `PROVIDER_TIMEOUT_MS` is 10 s unless an operator says otherwise. */
const PROBE_TIMEOUTS = 3;
const MAX_COOL_DOWN_MS = 60_000;

/** @param timeoutMs of one request */
export function breakerSettings(channel: "push" | "sms", timeoutMs: number): BreakerSettings {
  const common = { maxCoolDownMs: MAX_COOL_DOWN_MS, probeMs: PROBE_TIMEOUTS * timeoutMs };
  switch (channel) {
    case "push":
      // A failure costs a try out of six. Fewer would be too few for one bad subscription.
      return { ...common, failures: 5, firstCoolDownMs: 1_000 };
    case "sms":
      // A timeout costs a message that may never have been sent, and so does each probe that fails.
      return { ...common, failures: 3, firstCoolDownMs: 2_000 };
  }
}

/** Scheme, host and port of a push endpoint. */
export function originOfEndpoint(endpoint: string): string {
  return URL.parse(endpoint)?.origin ?? "malformed";
}

/**
 * Names origins by the entry of the allow-list that lets them in, or `other`: so there are never more
 * names than entries.
 */
export function createOriginLabels(allowedHosts: readonly string[]): (origin: string) => string {
  const entries = allowedHosts.map((entry) => entry.toLowerCase());
  return (origin) => {
    const host = URL.parse(origin)?.hostname ?? "";
    const found = entries.find(
      (entry) =>
        entry === host ||
        entry.replace(/\/$/, "") === origin ||
        (entry.startsWith("*.") && host.endsWith(entry.slice(1))),
    );
    return found ?? "other";
  };
}
