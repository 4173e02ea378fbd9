/** A socket's way in: what it missed is replayed before it takes part, so that no message falls between. */
import { randomUUID } from "node:crypto";
import type { ErrorFrame } from "../contract/frames.ts";
import type { HistoryView, JoinRequest, ReplayRequest } from "../tracking/history.ts";
import type { Connection } from "./connection.ts";
import type { FrameOf } from "./frame.ts";
import type { Hub } from "./hub.ts";
import { gapAtJoin, gapFrame } from "./replay-plan.ts";
import type { Turnstile } from "./turnstile.ts";

export interface JoinDeps {
  readonly history: { join(request: JoinRequest): Promise<HistoryView> };
  readonly hub: Hub;
  readonly frameOf: FrameOf;
  readonly nodeId: string;
  readonly heartbeatIntervalMs: number;
  /** Bounds how many histories are read at a time. */
  readonly inTurn: Turnstile;
}

const INVALID_REPLAY_FROM: ErrorFrame = {
  type: "error",
  code: "invalid_replay_from",
  message: "replay_from is a replay id in decimal digits; nothing was replayed.",
};

/** What a socket asked for when it was opened; undefined: its `replay_from` is no replay id. */
export type AskedReplay = ReplayRequest | undefined;

/**
 * Registers the socket and sends `connected`, a gap if there is one, and what it missed. The socket
 * is in its user's room before its history is read, so that whatever is published from then on
 * either is in what was read or arrives here.
 *
 * @throws when Redis does not answer; the caller closes the socket.
 */
export async function joinRoom(
  deps: JoinDeps,
  connection: Connection,
  asked: AskedReplay,
): Promise<void> {
  const { history, hub, frameOf, nodeId, heartbeatIntervalMs } = deps;
  const replay: ReplayRequest = asked ?? { kind: "none" };
  hub.enter(connection);
  const view = await deps.inTurn(async () => {
    // It may have left while it waited.
    if (!connection.isOpen()) return undefined;
    const sockets = hub.socketsOf(connection.userId);
    return await history.join({ userId: connection.userId, nodeId, sockets, replay });
  });
  if (view === undefined || !connection.isOpen()) return;

  const reason = gapAtJoin(replay, view);
  const complete = replay.kind === "after" ? "complete" : "none";
  connection.control({
    type: "connected",
    connection_id: randomUUID(),
    epoch: view.epoch,
    replay_id: String(view.last),
    heartbeat_interval_ms: heartbeatIntervalMs,
    replay: reason === undefined ? complete : "gap",
  });
  if (asked === undefined) connection.control(INVALID_REPLAY_FROM);
  connection.replay({
    gap: reason === undefined ? undefined : gapFrame(reason, view),
    frames: view.entries.map(frameOf),
    end: { epoch: view.epoch, id: view.last },
  });
}
