/** How far a page has come in its user's history, told from its log. Pure. */
import type { TabEvent } from "../evidence.ts";

type GapEvent = Extract<TabEvent, { readonly kind: "gap" }>;

/** A place in a user's history; the epoch is empty while there is none. */
export interface HistoryPlace {
  readonly epoch: string;
  readonly replayId: number;
}

export interface Standing extends HistoryPlace {
  /**
   * Of a connection that asked for no replay: it was greeted here, and what comes from before is what
   * never met a socket, without order.
   */
  readonly greetedAt: HistoryPlace | undefined;
}

export const NOWHERE: Standing = { epoch: "", replayId: 0, greetedAt: undefined };

/** Where the page stands after the event. */
export function advanceStanding(standing: Standing, event: TabEvent): Standing {
  switch (event.kind) {
    case "open": {
      const { epoch, replayId, from } = event;
      if (from === undefined) return { epoch, replayId, greetedAt: { epoch, replayId } };
      return { epoch: from.epoch ?? epoch, replayId: from.replayId, greetedAt: undefined };
    }
    case "gap":
      return behindGap(standing, event);
    case "frame": {
      if (isFromBefore(standing.greetedAt, event)) return standing;
      return { ...standing, epoch: event.epoch, replayId: event.replayId };
    }
    case "shown":
    case "acked":
    case "closed":
      return standing;
  }
}

function behindGap(standing: Standing, { epoch, oldest }: GapEvent): Standing {
  const { greetedAt, replayId } = standing;
  // Where no replay was asked for, it is about what had met no socket, or about what follows on.
  if (greetedAt?.epoch === epoch) {
    return { ...standing, replayId: Math.max(replayId, (oldest ?? 0) - 1) };
  }
  // Where nothing is kept, there is nothing more to be had.
  const last = oldest === undefined ? Number.POSITIVE_INFINITY : oldest - 1;
  return { epoch, replayId: last, greetedAt: undefined };
}

/** Whether a message is one that had met no socket when its connection was greeted. */
export function isFromBefore(greetedAt: HistoryPlace | undefined, place: HistoryPlace): boolean {
  if (greetedAt === undefined || greetedAt.epoch === "") return false;
  return place.epoch !== greetedAt.epoch || place.replayId <= greetedAt.replayId;
}

/** Whether whoever stands here has been given, or told the loss of, all up to there. */
export function hasReached(standing: HistoryPlace, wanted: HistoryPlace): boolean {
  if (wanted.replayId === 0) return true;
  return standing.epoch === wanted.epoch && standing.replayId >= wanted.replayId;
}
