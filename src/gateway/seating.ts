/** The life of one socket, from the open door to its close. */
import type { WebSocket } from "ws";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Acks, Receipts } from "./acks.ts";
import { connectionOf } from "./client-socket.ts";
import { Connection } from "./connection.ts";
import type { Visitor } from "./door.ts";
import type { Frame } from "./frame.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Hub } from "./hub.ts";
import { createInboundReader } from "./inbound.ts";
import { joinRoom, type JoinDeps } from "./join.ts";
import { ownText } from "./sent-record.ts";
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
  const { hub, heartbeat, upkeep, log, count } = deps;
  const connectionDeps = { clock: deps.clock, ...replayEvents(deps) };
  const onMessage = messageListener(deps);

  /** One listener for all sockets, as is `onMessage`: closures of its own cost each 250 bytes. */
  function onClose(this: WebSocket, code: number): void {
    const connection = connectionOf(this);
    if (connection === undefined) return;
    hub.leave(connection);
    upkeep.changed(connection.userId);
    count({ kind: "closed", code });
  }

  return ({ socket, stream, caller, asked }) => {
    const connection = new Connection(connectionDeps, {
      socket,
      stream,
      caller,
      acknowledges: asked.acknowledges,
      resumed: asked.replay?.kind === "after",
    });
    socket.connection = connection;
    socket.on("message", onMessage);
    socket.on("close", onClose);
    heartbeat.begin(connection);
    count({ kind: "opened" });
    joinRoom(deps, connection, asked.replay).catch((error: unknown) => {
      log.warn({ err: error }, "a socket could not join");
      connection.close("server_error", "history unavailable");
    });
  };
}

function replayEvents({ hub, receipts, count }: SeatingDeps) {
  return {
    replayed(connection: Connection, frames: readonly Frame[]): void {
      const room = hub.room(connection.userId);
      count({ kind: "replayed", frames: frames.length });
      // A worker that waits hears of it by its answer, which also knows whether an ack is awaited.
      const unasked = frames.filter(({ noteId }) => room?.owesAnswer(noteId) !== true);
      if (unasked.length > 0) {
        receipts.record(
          // Receipts of a storm wait for seconds; their payloads need not wait with them.
          unasked.map(({ noteId }) => ({ noteId: ownText(noteId), kind: "delivered" })),
        );
      }
      if (connection.acknowledges) for (const frame of frames) room?.record.add(frame);
    },
    ready(connection: Connection): void {
      hub.room(connection.userId)?.ready(connection);
    },
  };
}

type MessageListener = (this: WebSocket, data: Buffer, isBinary: boolean) => void;

function messageListener(deps: SeatingDeps): MessageListener {
  const { hub, acks, heartbeat, clock, limitInbound } = deps;
  const read = createInboundReader({ clock, limited: limitInbound });

  return function onMessage(data, isBinary) {
    const connection = connectionOf(this);
    if (connection === undefined || !connection.isOpen()) return;
    const inbound = read(connection, data, isBinary);
    switch (inbound.kind) {
      case "pong":
        return heartbeat.pong(connection);
      case "ack": {
        const room = hub.room(connection.userId);
        if (room !== undefined) acks.take(room.record, connection, inbound.frame);
        return;
      }
      case "error":
        return connection.control(inbound.error);
      case "too_many":
        return connection.close("try_later", "too many messages");
    }
  };
}
