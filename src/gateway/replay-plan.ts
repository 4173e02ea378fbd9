/** The decisions of replay, without effects: what a message is to a socket, and where a gap is. */
import type { ReplayGapFrame } from "../contract/frames.ts";
import type { HistoryView, Position, ReplayRequest } from "../tracking/history.ts";

/** What a message is to a socket that stands at a position. */
export type Relation =
  /** At or before the position: it was sent. */
  | "seen"
  /** Follows directly. */
  | "next"
  /** Something in between is missing here. */
  | "ahead"
  /** Of another history: ids cannot be compared. */
  | "other_epoch";

export function relate(
  position: Position,
  message: { readonly epoch: string; readonly replayId: number },
): Relation {
  // A user without a history: its first id is 1 unless Redis lost something before.
  if (position.epoch === null) return message.replayId === 1 ? "next" : "ahead";
  if (position.epoch !== message.epoch) return "other_epoch";
  if (message.replayId <= position.id) return "seen";
  return message.replayId === position.id + 1 ? "next" : "ahead";
}

export type GapReason = ReplayGapFrame["reason"];

function trimmed(view: HistoryView, from: number): boolean {
  return view.last > from && (view.oldest === null || view.oldest > from + 1);
}

/** Whether a joining socket has to be told that its replay is not the whole of what it missed. */
export function gapAtJoin(request: ReplayRequest, view: HistoryView): GapReason | undefined {
  if (request.kind === "none") return undefined;
  if (request.kind === "pending") return view.missing > 0 ? "trimmed" : undefined;
  const { id, epoch } = request;
  const otherEpoch = epoch !== undefined && view.epoch !== null && epoch !== view.epoch;
  if (otherEpoch) return "epoch_changed";
  if (id > view.last) return "rewound";
  return trimmed(view, id) ? "trimmed" : undefined;
}

/** The same for an open socket that fell behind. */
export function gapAtCatchUp(position: Position, view: HistoryView): GapReason | undefined {
  if (position.epoch === null) {
    // It lacks an epoch before this one, of which nobody knows how much was lost.
    if (view.base > 0) return "epoch_changed";
    return trimmed(view, 0) ? "trimmed" : undefined;
  }
  if (position.epoch !== view.epoch) return "epoch_changed";
  return trimmed(view, position.id) ? "trimmed" : undefined;
}

/** Whether a socket at `position` lacks anything of a history that stands at `now`. */
export function isBehind(position: Position, now: Position): boolean {
  if (now.epoch === null || now.id === 0) return false;
  return relate(position, { epoch: now.epoch, replayId: now.id }) !== "seen";
}

export function gapFrame(reason: GapReason, view: HistoryView): ReplayGapFrame {
  return {
    type: "replay_gap",
    reason,
    oldest_replay_id: view.oldest === null ? null : String(view.oldest),
    epoch: view.epoch,
  };
}
