/** Follows what one client is sent, and notes each hole that nothing told it of. */
import type { ReplayRequest } from "../../src/tracking/history.ts";

interface Place {
  readonly epoch: string | null;
  readonly id: number;
}

export interface WireReader {
  /** A connection begins, with what the client asks for. */
  begin(replay: ReplayRequest): void;
  read(text: string): void;
  /** Whether a gap said that what comes before a higher replay id is kept no more. */
  wasToldOfLossAt(replayId: number): boolean;
  /** `e1:4 > e1:7` for each hole without a gap before it. */
  unannounced(): readonly string[];
}

export function createWireReader(): WireReader {
  const holes: string[] = [];
  /** Undefined until it is known where a connection without `replay_from` begins. */
  let at: Place | undefined;
  /** A gap was announced since the last message; and on this connection at all. */
  let [gap, gapBefore] = [false, false];

  /** To a client that names no epoch, all up to here is the history as it is. */
  let freeUntil = 0;
  let named = true;
  let lostBefore = 0;

  function follow(next: Place): void {
    const before = at;
    at = next;
    if (before === undefined) return;
    const follows =
      before.epoch === next.epoch || before.epoch === null
        ? next.id === before.id + 1
        : // Of a history with several epochs all comes behind one gap, or to a client that named none.
          gapBefore || next.id <= freeUntil;
    if (!follows && !gap) holes.push(`${before.epoch}:${before.id} > ${next.epoch}:${next.id}`);
    gap = false;
  }

  return {
    begin(replay) {
      [gap, gapBefore] = [false, false];
      named = replay.kind === "after" && replay.epoch !== undefined;
      at = replay.kind === "after" ? { epoch: replay.epoch ?? null, id: replay.id } : undefined;
    },
    read(text) {
      const frame: Record<string, unknown> = JSON.parse(text);
      if (frame["type"] === "connected") freeUntil = named ? 0 : Number(frame["replay_id"]);
      if (frame["type"] === "replay_gap") {
        [gap, gapBefore] = [true, true];
        lostBefore = Math.max(lostBefore, Number(frame["oldest_replay_id"] ?? Infinity));
      }
      if (!("notification_id" in frame)) return;
      follow({ epoch: String(frame["epoch"]), id: Number(frame["replay_id"]) });
    },
    wasToldOfLossAt: (replayId) => replayId < lostBefore,
    unannounced: () => holes,
  };
}
