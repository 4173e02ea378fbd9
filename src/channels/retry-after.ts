/** Reads the `Retry-After` header (RFC 9110, section 10.2.3) with which providers ask for patience. */

/** A provider's wish is honoured up to here; beyond it another try is worth its price. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * @param value the header: whole seconds or an HTTP date.
 * @param nowMs epoch milliseconds, what a date is compared with.
 * @returns milliseconds from now, 0 to `MAX_RETRY_AFTER_MS`; undefined if it cannot be read.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(Math.max(0, waitMs), MAX_RETRY_AFTER_MS);
}
