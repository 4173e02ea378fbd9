/** Date-times as callers write them: RFC 3339, or without an offset, which means UTC. */

const INSTANT = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?$/i;
const MINUTE_MS = 60_000;
/** The widest offset in use is 14 hours; RFC 3339 allows a day. */
const MAX_OFFSET_MINUTES = 24 * 60;

function offsetMinutes(zone: string): number {
  const sign = zone.startsWith("-") ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
}

/** Epoch milliseconds, or null when the text is no date-time or names a day that does not exist. */
export function parseInstant(text: string): number | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, day = "", time = "", zone = "Z"] = match;
  const atUtc = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(atUtc)) return null;
  // Date.parse takes February 30th for March 2nd, and 24:00 for the next day.
  if (!new Date(atUtc).toISOString().startsWith(`${day}T${time.slice(0, 5)}`)) return null;
  const offset = zone.toUpperCase() === "Z" ? 0 : offsetMinutes(zone);
  if (Math.abs(offset) >= MAX_OFFSET_MINUTES) return null;
  return atUtc - offset * MINUTE_MS;
}
