/** The life of one socket, from the open door to its close. */
import { randomUUID } from "node:crypto";
import type { WebSocket } from "ws";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Acks, Receipts } from "./acks.ts";
import { createConnection, type Connection, type ConnectionEvents } from "./connection.ts";
import type { Visitor } from "./door.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Hub } from "./hub.ts";
import { createInboundReader } from "./inbound.ts";
import { joinRoom, type JoinDeps } from "./join.ts";
import type { Upkeep } from "./upkeep.ts";

export type GatewayEvent =
  | { readonly kind: "opened" }
  | { readonly kind: "closed"; readonly code: number }
  /** Live frames written to the sockets of one user. */
  | { readonly kind: "sent"; readonly frames: number }
  | { readonly kind: "replayed"; readonly frames: number };

export interface SeatingDeps extends JoinDeps {
  readonly hub: Hub;
  readonly acks: Acks;
  readonly heartbeat: Heartbeat;
  readonly upkeep: Pick<Upkeep, "changed">;
  readonly receipts: Receipts;
  readonly clock: Clock;
  readonly log: Logger;
  /** False turns the count of inbound frames off, for load tests. */
  readonly limitInbound: boolean;
  readonly count: (event: GatewayEvent) => void;
}

/** Returns the function that takes in a visitor whom the door let through. */
export function createSeating(deps: SeatingDeps): (visitor: Visitor) => void {
  const { hub, heartbeat, upkeep, clock, log, count } = deps;
  const events = replayEvents(deps);

  return ({ socket, stream, caller, asked }) => {
    const connection = createConnection({
      id: randomUUID(),
      socket,
      stream,
      caller,
      acknowledges: asked.acknowledges,
      resumed: asked.replay?.kind === "after",
      clock,
      events,
    });
    heartbeat.add(connection);
    listen(deps, socket, connection);
    count({ kind: "opened" });
    socket.on("close", (code) => {
      heartbeat.remove(connection);
      hub.leave(connection);
      upkeep.changed(caller.userId);
      count({ kind: "closed", code });
    });
    joinRoom(deps, connection, asked.replay).catch((error: unknown) => {
      log.warn({ err: error }, "a socket could not join");
      connection.close("server_error", "history unavailable");
    });
  };
}

function replayEvents({ hub, receipts, count }: SeatingDeps): ConnectionEvents {
  return {
    replayed(connection, frames) {
      const room = hub.room(connection.userId);
      count({ kind: "replayed", frames: frames.length });
      // A worker that waits hears of it by its answer, which also knows whether an ack is awaited.
      const unasked = frames.filter(({ noteId }) => room?.owesAnswer(noteId) !== true);
      if (unasked.length > 0) {
        receipts.record(unasked.map(({ noteId }) => ({ noteId, kind: "delivered" })));
      }
      if (connection.acknowledges) for (const frame of frames) room?.record.add(frame);
    },
    ready: (connection) => hub.room(connection.userId)?.ready(connection),
  };
}

function listen(deps: SeatingDeps, socket: WebSocket, connection: Connection): void {
  const { hub, acks, heartbeat, clock, limitInbound } = deps;
  const read = createInboundReader({ clock, limited: limitInbound });
  // With the default binaryType every message is one Buffer.
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    if (!connection.isOpen()) return;
    const inbound = read(data, isBinary);
    const record = hub.room(connection.userId)?.record;
    switch (inbound.kind) {
      case "pong":
        return heartbeat.pong(connection);
      case "ack":
        if (record !== undefined) acks.take(record, connection, inbound.frame);
        return;
      case "error":
        return connection.control(inbound.error);
      case "too_many":
        return connection.close("try_later", "too many messages");
    }
  });
}
