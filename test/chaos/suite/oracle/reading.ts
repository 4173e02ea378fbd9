/** Follows one connection of a page: whether each message follows on the one before it. Pure. */
import { isFromBefore, type HistoryPlace } from "../audience/standing.ts";
import type { TabEvent } from "../evidence.ts";

type Of<K extends TabEvent["kind"]> = Extract<TabEvent, { readonly kind: K }>;

export interface Reading {
  gap(event: Of<"gap">): void;
  /** @returns what is wrong with its place, if anything is */
  frame(event: Of<"frame">): string | undefined;
}

/**
 * What may come depends on what the connection asked for:
 *   nothing          first what never met a socket, in any order and none twice; then all that follows
 *                    on where it was greeted
 *   a place          all that follows on it
 *   the whole        all from the first message of the first epoch on; the history may go over into
 *                    later epochs by itself
 * After a gap the history is told anew, as far as it is kept: epoch by epoch, up to the one that the
 * gap names, each without holes. What was trimmed ends at the oldest message that is kept.
 */
export function followConnection(greeting: Of<"open">): Reading {
  const { from, epoch, replayId } = greeting;
  const greetedAt = from === undefined ? { epoch, replayId } : undefined;
  const whole = from !== undefined && (from.replayId === 0 || from.epoch === undefined);
  let at: HistoryPlace = greetedAt ?? startOf(from, whole);
  /** The epoch up to which a history is told; undefined once it is. */
  let telling: string | undefined = whole ? epoch : undefined;
  let gap: Of<"gap"> | undefined;
  const begun = new Set<string>();
  const before = new Set<string>();

  /** Whether it may be the first message of its epoch, while a history is told. */
  function begins(place: HistoryPlace): boolean {
    if (telling === undefined || begun.has(place.epoch)) return false;
    if (begun.size > 0) return true;
    if (gap === undefined) return place.replayId === at.replayId + 1;
    return gap.reason !== "trimmed" || place.replayId === gap.oldest;
  }

  function follows(place: HistoryPlace): boolean {
    if (begins(place)) return true;
    // A person without a history: the first message.
    if (at.epoch === "") return place.replayId === 1;
    return place.epoch === at.epoch && place.replayId === at.replayId + 1;
  }

  return {
    gap(event) {
      gap = event;
      telling = event.epoch;
      begun.clear();
    },
    frame(place) {
      const name = `${place.replayId} of ${place.epoch}`;
      const isElsewhere = gap !== undefined && gap.epoch !== epoch;
      if (!isElsewhere && isFromBefore(greetedAt, place)) {
        const again = before.has(name);
        before.add(name);
        return again ? `${name} came twice` : undefined;
      }
      const behind = at.epoch === "" ? "no history" : `${at.replayId} of ${at.epoch}`;
      const wrong = follows(place) ? undefined : `${name} came behind ${behind}`;
      begun.add(place.epoch);
      if (telling === place.epoch || telling === "") telling = undefined;
      at = place;
      return wrong;
    },
  };
}

function startOf(from: Of<"open">["from"], whole: boolean): HistoryPlace {
  return { epoch: whole ? "" : (from?.epoch ?? ""), replayId: from?.replayId ?? 0 };
}
