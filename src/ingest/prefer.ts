/** The `Prefer: wait=N` header of RFC 7240: how long the caller would wait for the outcome. */

/** Longer waits are shortened to this; the answer says so. */
export const MAX_WAIT_SECONDS = 30;

/** Seconds to wait, at most `MAX_WAIT_SECONDS`; undefined without a usable preference. */
export function parsePreferWait(header: string | undefined): number | undefined {
  for (const part of header?.split(",") ?? []) {
    const match = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(;.*)?$/i.exec(part);
    if (match?.[1] !== undefined) return Math.min(Number(match[1]), MAX_WAIT_SECONDS);
  }
  return undefined;
}
