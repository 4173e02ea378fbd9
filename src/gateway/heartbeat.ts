/** One timer for all sockets: heartbeats, silent clients, slow clients, expired tokens. */
import type { HeartbeatFrame } from "../contract/frames.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { CloseKind, CloseReason } from "./close-codes.ts";
import { encodeTextFrame } from "./text-frame.ts";

export interface Pulse {
  readonly expiresAt: number;
  nextBeatAt: number;
  silentAt: number;
  beat(frame: Buffer): void;
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
  /** A socket was opened. */
  begin(socket: Pulse): void;
  /** Only the client's own JSON pong counts: browsers answer protocol pings on their own. */
  pong(socket: Pulse): void;
}

/** A look at 15,000 sockets costs well under a millisecond, so that one plain timer is enough. */
const MAX_TICK_MS = 1_000;
const MIN_TICK_MS = 10;
const TICKS_PER_INTERVAL = 30;

/**
 * A tick beats twice its share of the sockets at most. Those that came back all at once are thereby
 * spread over half an interval, and stay so: nothing is delivered during a long tick, and the garbage
 * of a round of 15,000 beats, answers and rewritten presences made the process 48 MB larger.
 */
const SHARE_PER_TICK = 2 / TICKS_PER_INTERVAL;
const MIN_BEATS_PER_TICK = 100;

export function createHeartbeat(
  deps: HeartbeatSettings & {
    readonly clock: Clock;
    readonly sockets: {
      each(visit: (socket: Pulse) => void): void;
      size(): { readonly connections: number };
    };
  },
): Heartbeat {
  const { clock, sockets, heartbeatIntervalMs, heartbeatTimeoutMs } = deps;
  const tickMs = Math.max(
    MIN_TICK_MS,
    Math.min(MAX_TICK_MS, Math.floor(heartbeatIntervalMs / TICKS_PER_INTERVAL)),
  );
  let cancel: Cancel | undefined;

  function tick(): void {
    const now = clock.now();
    const frame: HeartbeatFrame = { type: "heartbeat", timestamp: new Date(now).toISOString() };
    const wire = encodeTextFrame(JSON.stringify(frame));
    const share = Math.ceil(sockets.size().connections * SHARE_PER_TICK);
    let beats = Math.max(MIN_BEATS_PER_TICK, share);
    sockets.each((socket) => {
      if (now >= socket.expiresAt) socket.close("unauthorized", "token expired");
      else if (now >= socket.silentAt) socket.close("server_error", "heartbeat missed");
      else {
        socket.checkSlow();
        if (now < socket.nextBeatAt || beats === 0) return;
        beats -= 1;
        socket.nextBeatAt = now + heartbeatIntervalMs;
        socket.beat(wire);
      }
    });
  }

  return {
    start() {
      cancel ??= clock.every(tickMs, tick);
    },
    stop() {
      cancel?.();
      cancel = undefined;
    },
    begin(socket) {
      const now = clock.now();
      socket.nextBeatAt = now + heartbeatIntervalMs;
      socket.silentAt = now + heartbeatTimeoutMs;
    },
    pong(socket) {
      socket.silentAt = clock.now() + heartbeatTimeoutMs;
    },
  };
}
