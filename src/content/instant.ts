/** Date-times as callers write them: RFC 3339, or without an offset, which means UTC. */

/** Each part within its range, but for days that only some months have. */
const INSTANT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/i;
/** Every month has as many days. */
const SHORTEST_MONTH = 28;

/** JavaScript takes February 30th for March 2nd. */
function dayExists(date: string): boolean {
  const day = Number(date.slice(8));
  if (day <= SHORTEST_MONTH) return true;
  return new Date(`${date}T00:00:00Z`).getUTCDate() === day;
}

/** Epoch milliseconds, or null when the text is no date-time or names a day that does not exist. */
export function parseInstant(text: string): number | null {
  const match = INSTANT.exec(text);
  if (match === null || !dayExists(text.slice(0, 10))) return null;
  // Small letters are in the RFC, and JavaScript reads only large ones.
  return Date.parse((match[1] === undefined ? `${text}Z` : text).toUpperCase());
}
