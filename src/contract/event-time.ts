/** Times as events state them, and the years in which all readers agree on how one is written. */

const ZONE_PATTERN = /(?:Z|[+-]\d\d:\d\d)$/;
/** ISO 8601 and RFC 3339 have four digits for a year; what is beyond is written with a sign and six. */
const EARLIEST_MS = Date.parse("0000-01-01T00:00:00.000Z");
const LATEST_MS = Date.parse("9999-12-31T23:59:59.999Z");

export const OUT_OF_YEARS = "must be within the years 0000 to 9999 in UTC";

/** Epoch milliseconds of an ISO 8601 date-time; without an offset it is UTC. */
export function epochMsOf(time: string): number {
  return Date.parse(ZONE_PATTERN.test(time) ? time : `${time}Z`);
}

/** Whether the moment has a year of four digits. An offset may move one across either end. */
export function isWithinYears(epochMs: number): boolean {
  return epochMs >= EARLIEST_MS && epochMs <= LATEST_MS;
}

/**
 * Whether what is written as an ISO 8601 date-time is within those years. An offset is at most a day,
 * so only the first and the last year have to be looked at closely.
 */
export function isWrittenWithinYears(time: string): boolean {
  if (!time.startsWith("0000") && !time.startsWith("9999")) return true;
  return isWithinYears(epochMsOf(time));
}
