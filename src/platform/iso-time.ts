/**
 * Times as text, `2026-11-21T19:45:42.017Z`. `Date.prototype.toISOString` takes half a microsecond,
 * and an event has nine times in it, most of them of the same few seconds.
 */

/** Seconds whose text is kept: 40 bytes each. */
const MAX_KEPT = 1_000;

const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, "0")}Z`);
const kept = new Map<number, string>();

/**
 * @param epochMs a whole number
 * @throws RangeError if it is no time
 */
export function isoTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1_000);
  return `${secondText(second)}${MILLISECONDS[epochMs - second * 1_000]}`;
}

function secondText(second: number): string {
  const known = kept.get(second);
  if (known !== undefined) return known;
  const text = new Date(second * 1_000).toISOString().slice(0, -"000Z".length);
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(second, text);
  return text;
}
