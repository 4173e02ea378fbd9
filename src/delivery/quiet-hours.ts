/** The hours in which a person does not want their phone to ring. Pure: takes `now`. */

/** Wall-clock times `HH:MM` in the person's time zone; `from` after `to` goes over midnight. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** Minutes since midnight on the wall in this zone. */
function wallMinutes(epochMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(epochMs);
  return minutesOf(parts);
}

function isWithin(minutes: number, quiet: QuietHours): boolean {
  const from = minutesOf(quiet.from);
  const to = minutesOf(quiet.to);
  if (from === to) return false;
  return from < to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}

/**
 * When the quiet hours that hold now end, epoch ms at a full minute; undefined outside of them.
 * The wall clock is asked again at the end, so a change to or from summer time in between is right.
 */
export function quietUntil(
  quiet: QuietHours | undefined,
  timeZone: string,
  now: number,
): number | undefined {
  if (quiet === undefined || !isWithin(wallMinutes(now, timeZone), quiet)) return undefined;
  const start = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const end = minutesOf(quiet.to);
  const guess = (end - wallMinutes(now, timeZone) + DAY_MINUTES) % DAY_MINUTES;
  const straight = start + guess * MINUTE_MS;
  const drift = end - wallMinutes(straight, timeZone);
  // A shift of the clocks is an hour or so; a difference of nearly a day is midnight in between.
  const shift = ((drift + DAY_MINUTES * 1.5) % DAY_MINUTES) - DAY_MINUTES / 2;
  const shifted = straight + shift * MINUTE_MS;
  // In spring the wall may skip the very minute of the end: then they end with the skip.
  return wallMinutes(shifted, timeZone) === end ? shifted : straight;
}
