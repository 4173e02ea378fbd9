/** The WebSocket of one client. It knows its connection, so that all sockets share their listeners. */
import { WebSocket } from "ws";
import type { Connection } from "./connection.ts";

export class ClientSocket extends WebSocket {
  /** Undefined until it is seated, and for good if it is refused. */
  connection: Connection | undefined = undefined;
}

/** For listeners, whose `this` is typed as any WebSocket. */
export function connectionOf(socket: WebSocket): Connection | undefined {
  return socket instanceof ClientSocket ? socket.connection : undefined;
}
