/** What a page was told that it cannot have, so that its absence is no loss. Pure. */
import { advanceStanding, isFromBefore, NOWHERE, type HistoryPlace } from "../audience/standing.ts";
import type { TabEvent, TabLog } from "../evidence.ts";

type GapEvent = Extract<TabEvent, { readonly kind: "gap" }>;

/**
 * Whether the page need not have received the message at this place of the history as it is now: it is
 * older than what an announced gap says to be kept, or than a connection that asked for no replay.
 *
 * Ids grow from epoch to epoch, so that they tell what is older. What was given out and lost with a
 * Redis that was taken back has no place in the history as it is now.
 */
export function isExcused({ events }: TabLog, place: HistoryPlace): boolean {
  let standing = NOWHERE;
  for (const event of events) {
    if (event.kind === "gap" && covers(event, standing, place)) return true;
    if (event.kind === "open" && event.from === undefined && isFromBefore(event, place))
      return true;
    standing = advanceStanding(standing, event);
  }
  return false;
}

/** @param behind where the page stood when it was told */
function covers({ oldest }: GapEvent, behind: HistoryPlace, place: HistoryPlace): boolean {
  if (place.epoch === behind.epoch && place.replayId <= behind.replayId) return false;
  return oldest === undefined || place.replayId < oldest;
}
