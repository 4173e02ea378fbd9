/** One connection with its watchdog and its acknowledgements. */
import type { ClientFrame, NotificationFrame } from "../../contract/frames.ts";
import { readFrame, type Incoming } from "./frames.ts";
import type { PositionStorage } from "./position.ts";
import type { Ending } from "./reconnect.ts";

/** One connection attempt, as the environment makes it. */
interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketEvents {
  message(text: string): void;
  /** Called exactly once, also for a connection that never opened. */
  closed(code: number): void;
}

/** What a browser offers, kept narrow so that tests can offer it too. */
export interface ClientEnvironment {
  openSocket(url: string, events: SocketEvents): Socket;
  after(delayMs: number, task: () => void): () => void;
  random(): number;
  readonly storage: PositionStorage;
}

/** A connection that lived this long worked; before, it counts as another failure. */
const STABLE_AFTER_MS = 5_000;
/** Heartbeats that may stay out before the connection is taken for dead. */
const MISSED_HEARTBEATS = 2.5;
/** Until the server says hello. */
const HELLO_TIMEOUT_MS = 15_000;
/** Acknowledgements are cumulative: one for a whole burst is enough. */
const ACK_DELAY_MS = 20;
/** Nothing more will come of this connection, though no close frame was seen. */
export const ABNORMAL_CLOSE = 1006;

export interface Connection {
  send(frame: ClientFrame): void;
  ack(frame: NotificationFrame): void;
  close(): void;
}

/** Opens a socket and watches it: silence longer than the heartbeats allow ends it. */
export function openConnection(deps: {
  environment: ClientEnvironment;
  url: string;
  onStable: () => void;
  onFrame: (incoming: Incoming) => void;
  onEnd: (ending: Ending) => void;
}): Connection {
  const { environment } = deps;
  let goingAwayMs: number | undefined;
  let silenceMs = HELLO_TIMEOUT_MS;
  let latest: NotificationFrame | undefined;
  let done = false;
  let cancelStable: (() => void) | undefined;
  let cancelAck: (() => void) | undefined;
  let cancelWatch = environment.after(silenceMs, () => giveUp());

  function end(code: number): void {
    if (done) return;
    release();
    deps.onEnd({ code, goingAwayMs });
  }

  function release(): void {
    done = true;
    cancelStable?.();
    cancelAck?.();
    cancelWatch();
  }

  function giveUp(): void {
    socket.close();
    end(ABNORMAL_CLOSE);
  }

  function send(frame: ClientFrame): void {
    if (!done) socket.send(JSON.stringify(frame));
  }

  function message(text: string): void {
    if (done) return;
    const incoming = readFrame(text);
    if (incoming === undefined) return;
    if (incoming.kind === "connected") {
      silenceMs = incoming.frame.heartbeat_interval_ms * MISSED_HEARTBEATS;
      cancelStable = environment.after(STABLE_AFTER_MS, deps.onStable);
    }
    if (incoming.kind === "going_away") goingAwayMs = incoming.frame.retry_after_ms;
    cancelWatch();
    cancelWatch = environment.after(silenceMs, giveUp);
    deps.onFrame(incoming);
  }

  const socket = environment.openSocket(deps.url, { message, closed: end });

  return {
    send,
    ack(frame) {
      const waiting = latest !== undefined;
      latest = frame;
      if (waiting) return;
      cancelAck = environment.after(ACK_DELAY_MS, () => {
        if (latest === undefined) return;
        const { replay_id, epoch, notification_id } = latest;
        latest = undefined;
        send({ type: "ack", replay_id, epoch, notification_id });
      });
    },
    close() {
      release();
      socket.close();
    },
  };
}
