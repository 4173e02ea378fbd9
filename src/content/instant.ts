/** Date-times as callers write them: RFC 3339, or without an offset, which means UTC. */

const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(?:Z|([+-])(\d\d):(\d\d))?$/i;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** Epoch milliseconds, or null when the text is no date-time or names a day that does not exist. */
export function parseInstant(text: string): number | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const part = (at: number): number => Number(match[at] ?? 0);
  const [year, month, day] = [part(1), part(2), part(3)];
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [offsetHours, offsetMinutes] = [part(9), part(10)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59)
    return null;

  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // JavaScript takes February 30th for March 2nd.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const atUtc = date.setUTCHours(hour, minute, second, Math.floor(part(7) * SECOND_MS));
  const offset = (offsetHours * 60 + offsetMinutes) * MINUTE_MS;
  return match[8] === "-" ? atUtc + offset : atUtc - offset;
}
