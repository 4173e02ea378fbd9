/** What a browser's WebSocket is to the shipped client, made of `ws`; it can be treated badly. */
import { WebSocket } from "ws";
import type { ClientEnvironment, SocketEvents } from "../../../../src/browser/client/connection.ts";
import type { ConnectionRecorder } from "./tab-recorder.ts";

const NORMAL_CLOSE = 1000;
const ABNORMAL_CLOSE = 1006;
/** A server that stands still answers no handshake; browsers give up after longer, the client before. */
const HANDSHAKE_TIMEOUT_MS = 30_000;

export interface PageSocket extends ReturnType<ClientEnvironment["openSocket"]> {
  /** Takes nothing more from the network until `resume`, so that the server's data piles up. */
  pause(): void;
  resume(): void;
  /** The connection is gone, and nobody said goodbye. */
  destroy(): void;
}

/** @param address where to connect; a rejection is a server that cannot be found */
export function openPageSocket(
  address: Promise<string>,
  asked: URL,
  parts: { readonly events: SocketEvents; readonly recorder: ConnectionRecorder },
): PageSocket {
  const { events, recorder } = parts;
  let socket: WebSocket | undefined;
  let over = false;
  let paused = false;

  function end(code: number): void {
    if (over) return;
    over = true;
    recorder.ended(code);
    events.closed(code);
  }

  function connect(base: string): void {
    if (over) return;
    const url = new URL(asked.pathname + asked.search, base.replace(/^http/, "ws"));
    const opened = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    socket = opened;
    opened.on("open", () => {
      if (paused) opened.pause();
    });
    opened.on("message", (data: Buffer, isBinary) => {
      if (over || isBinary) return;
      const text = data.toString();
      recorder.received(text);
      events.message(text);
    });
    // The close that follows says all that a browser would.
    opened.on("error", () => {});
    opened.on("close", end);
  }
  address.then(connect, () => end(ABNORMAL_CLOSE));

  return {
    send(text) {
      if (over || socket?.readyState !== WebSocket.OPEN) return;
      recorder.sent(text);
      socket.send(text);
    },
    /** Whoever closes has left: what still comes is not for them. */
    close() {
      if (over) return;
      over = true;
      recorder.ended(NORMAL_CLOSE);
      if (socket?.readyState === WebSocket.OPEN) {
        // A paused socket would never see the answer to its goodbye.
        socket.resume();
        socket.close(NORMAL_CLOSE);
      } else socket?.terminate();
    },
    pause() {
      paused = true;
      if (socket?.readyState === WebSocket.OPEN) socket.pause();
    },
    resume() {
      paused = false;
      if (socket?.readyState === WebSocket.OPEN) socket.resume();
    },
    destroy() {
      socket?.terminate();
      end(ABNORMAL_CLOSE);
    },
  };
}
