/** One timer for all sockets: heartbeats, silent clients, slow clients, expired tokens. */
import type { HeartbeatFrame } from "../contract/frames.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { CloseKind, CloseReason } from "./close-codes.ts";

export interface Pulse {
  readonly expiresAt: number;
  beat(text: string): void;
  checkSlow(): void;
  close(kind: CloseKind, reason: CloseReason): void;
}

export interface HeartbeatSettings {
  readonly heartbeatIntervalMs: number;
  /** Without a JSON pong for so long, a socket is closed. */
  readonly heartbeatTimeoutMs: number;
}

export interface Heartbeat {
  start(): void;
  stop(): void;
  add(socket: Pulse): void;
  remove(socket: Pulse): void;
  /** Only the client's own JSON pong counts: browsers answer protocol pings on their own. */
  pong(socket: Pulse): void;
}

/** A look at 15,000 sockets costs well under a millisecond, so that one plain timer is enough. */
const MAX_TICK_MS = 1_000;
const MIN_TICK_MS = 10;
const TICKS_PER_INTERVAL = 30;

export function createHeartbeat(deps: HeartbeatSettings & { readonly clock: Clock }): Heartbeat {
  const { clock, heartbeatIntervalMs, heartbeatTimeoutMs } = deps;
  const tickMs = Math.max(
    MIN_TICK_MS,
    Math.min(MAX_TICK_MS, Math.floor(heartbeatIntervalMs / TICKS_PER_INTERVAL)),
  );
  const sockets = new Map<Pulse, { nextBeatAt: number; silentAt: number }>();
  let cancel: Cancel | undefined;

  function tick(): void {
    const now = clock.now();
    const frame: HeartbeatFrame = { type: "heartbeat", timestamp: new Date(now).toISOString() };
    const text = JSON.stringify(frame);
    for (const [socket, times] of sockets) {
      if (now >= socket.expiresAt) socket.close("unauthorized", "token expired");
      else if (now >= times.silentAt) socket.close("server_error", "heartbeat missed");
      else {
        socket.checkSlow();
        if (now < times.nextBeatAt) continue;
        times.nextBeatAt = now + heartbeatIntervalMs;
        socket.beat(text);
      }
    }
  }

  return {
    start() {
      cancel ??= clock.every(tickMs, tick);
    },
    stop() {
      cancel?.();
      cancel = undefined;
    },
    add(socket) {
      const now = clock.now();
      sockets.set(socket, {
        nextBeatAt: now + heartbeatIntervalMs,
        silentAt: now + heartbeatTimeoutMs,
      });
    },
    remove(socket) {
      sockets.delete(socket);
    },
    pong(socket) {
      const times = sockets.get(socket);
      if (times !== undefined) times.silentAt = clock.now() + heartbeatTimeoutMs;
    },
  };
}
