/** What a page was told that it cannot have, so that its absence is no loss. Pure. */
import { advanceStanding, isFromBefore, NOWHERE, type HistoryPlace } from "../audience/standing.ts";
import type { TabEvent, TabLog } from "../evidence.ts";

/** A gap, and what was told behind it. */
interface Gap {
  readonly announced: Extract<TabEvent, { readonly kind: "gap" }>;
  /** Where the page stood. */
  readonly behind: HistoryPlace;
  /** The first message of each epoch. */
  readonly first: Map<string, number>;
}

/**
 * Whether the page need not have received the message at this place: it lies in an announced gap, or
 * before a connection that asked for no replay.
 */
export function isExcused({ events }: TabLog, place: HistoryPlace): boolean {
  let standing = NOWHERE;
  const gaps: Gap[] = [];
  let gap: Gap | undefined;
  for (const event of events) {
    if (event.kind === "gap") {
      gap = { announced: event, behind: standing, first: new Map() };
      gaps.push(gap);
    } else if (event.kind === "open") {
      gap = undefined;
      if (event.from === undefined && isFromBefore(event, place)) return true;
    } else if (event.kind === "frame" && gap !== undefined && !gap.first.has(event.epoch)) {
      gap.first.set(event.epoch, event.replayId);
    }
    standing = advanceStanding(standing, event);
  }
  return gaps.some((one) => covers(one, place));
}

function covers({ announced, behind, first }: Gap, place: HistoryPlace): boolean {
  if (place.epoch === behind.epoch && place.replayId <= behind.replayId) return false;
  const begun = first.get(place.epoch);
  if (begun !== undefined) return place.replayId < begun;
  // The epoch that the gap names is still to be told, unless nothing of it is kept.
  return place.epoch !== announced.epoch || announced.oldest === undefined;
}
