/** One client's socket: writes frames in order, never faster than the client reads. */
import type {
  ConnectedFrame,
  ErrorFrame,
  GoingAwayFrame,
  ReplayGapFrame,
} from "../contract/frames.ts";
import type { Caller } from "../contract/caller.ts";
import type { Clock } from "../platform/clock.ts";
import type { Position } from "../tracking/history.ts";
import { CLOSE_CODES, type CloseKind, type CloseReason } from "./close-codes.ts";
import type { Frame } from "./frame.ts";

/** Above this much unsent, a socket gets no live frames until it has drained. */
export const SLOW_BYTES = 256 * 1024;

/** Above this much unsent, it is closed at once. */
const HOPELESS_BYTES = 1024 * 1024;

/** A socket that stays above `SLOW_BYTES` for so long is closed; it comes back with `replay_from`. */
export const SLOW_TIMEOUT_MS = 5_000;

/** What is used of a WebSocket. */
export interface OutgoingSocket {
  readonly readyState: number;
  readonly OPEN: number;
  /** Bytes that are not yet handed to the operating system. */
  readonly bufferedAmount: number;
  send(data: string | Buffer, options: { binary: boolean }): void;
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: "close", listener: () => void): unknown;
}

/** What is used of the stream below it: corking sends a whole replay in few packets. */
export interface OutgoingStream {
  cork(): void;
  uncork(): void;
  on(event: "drain", listener: () => void): unknown;
}

/** What is sent besides notifications. */
export type ControlFrame = ConnectedFrame | ErrorFrame | GoingAwayFrame | ReplayGapFrame;

const TEXT = { binary: false };

export interface Replay {
  readonly gap: ReplayGapFrame | undefined;
  readonly frames: readonly Frame[];
  /** Where the socket stands once all is sent. */
  readonly end: Position;
}

export interface Connection {
  readonly id: string;
  readonly userId: string;
  readonly openedAt: number;
  /** Epoch ms at which its token runs out. */
  readonly expiresAt: number;
  /** Opened with `ack=1`: this client confirms what it receives. */
  readonly acknowledges: boolean;
  /** Opened with `replay_from`. */
  readonly resumed: boolean;
  readonly position: Position;
  /** Where it stood when its join was done. */
  readonly start: Position;
  isOpen(): boolean;
  /** Whether its join is done, so that it counts as a socket of its user. */
  isJoined(): boolean;
  /** Whether a live frame can be written now: joined, nothing left to replay, not slow. */
  isTaking(): boolean;
  control(frame: ControlFrame): void;
  /** An already serialised control frame, shared by many sockets; a slow socket does without. */
  beat(text: string): void;
  /** Writes a live frame and moves the position behind it. False: it could not be written. */
  write(frame: Frame): boolean;
  /** Sends a gap and frames as fast as the client reads; the first call ends the join. */
  replay(replay: Replay): void;
  close(kind: CloseKind, reason: CloseReason): void;
  /** Cuts the connection. */
  terminate(): void;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** Closes a socket that has been slow for too long. Called every tick. */
  checkSlow(): void;
}

export interface ConnectionEvents {
  /** Frames of a replay were written. */
  replayed(connection: Connection, frames: readonly Frame[]): void;
  /** The socket takes live frames again, after a replay or after being slow. */
  ready(connection: Connection): void;
}

export function createConnection(deps: {
  readonly id: string;
  readonly socket: OutgoingSocket;
  readonly stream: OutgoingStream;
  readonly caller: Caller;
  readonly acknowledges: boolean;
  readonly resumed: boolean;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
}): Connection {
  const { id, socket, stream, caller, clock, events } = deps;
  let position: Position = { epoch: null, id: 0 };
  let start = position;
  let joined = false;
  let backlog: { frames: readonly Frame[]; next: number; end: Position } | undefined;
  let slowSince: number | undefined;

  const isOpen = (): boolean => socket.readyState === socket.OPEN;

  function isSlow(): boolean {
    const slow = socket.bufferedAmount > SLOW_BYTES;
    if (slow) slowSince ??= clock.now();
    return slow;
  }

  function close(kind: CloseKind, reason: CloseReason): void {
    backlog = undefined;
    socket.close(CLOSE_CODES[kind].code, reason);
  }

  function put(frame: Frame): boolean {
    const bytes = frame.bytes();
    position = { epoch: frame.epoch, id: frame.replayId };
    if (bytes === undefined) return false;
    socket.send(bytes, TEXT);
    if (socket.bufferedAmount > HOPELESS_BYTES) close("server_error", "slow consumer");
    return true;
  }

  /** Writes what is left of a replay until the socket is full; draining calls it again. */
  function pump(): void {
    if (backlog === undefined) return;
    const sent: Frame[] = [];
    stream.cork();
    while (backlog !== undefined && isOpen() && !isSlow()) {
      const frame = backlog.frames[backlog.next];
      if (frame === undefined) {
        position = backlog.end;
        backlog = undefined;
        break;
      }
      backlog.next += 1;
      if (put(frame)) sent.push(frame);
    }
    stream.uncork();
    if (sent.length > 0) events.replayed(connection, sent);
    if (backlog === undefined && isOpen()) events.ready(connection);
  }

  function drained(): void {
    if (slowSince === undefined || socket.bufferedAmount > SLOW_BYTES) return;
    slowSince = undefined;
    if (!isOpen() || !joined) return;
    if (backlog === undefined) events.ready(connection);
    else pump();
  }
  stream.on("drain", drained);

  const connection: Connection = {
    id,
    userId: caller.userId,
    openedAt: clock.now(),
    expiresAt: caller.expiresAt,
    acknowledges: deps.acknowledges,
    resumed: deps.resumed,
    get position() {
      return position;
    },
    get start() {
      return start;
    },
    isOpen,
    isJoined: () => joined && isOpen(),
    isTaking: () => joined && isOpen() && backlog === undefined && !isSlow(),

    control(frame) {
      if (isOpen()) socket.send(JSON.stringify(frame), TEXT);
    },

    beat(text) {
      if (isOpen() && !isSlow()) socket.send(text, TEXT);
    },

    write: (frame) => isOpen() && put(frame),

    replay({ gap, frames, end }) {
      if (!joined) start = end;
      joined = true;
      stream.cork();
      if (gap !== undefined) connection.control(gap);
      backlog = { frames, next: 0, end };
      pump();
      stream.uncork();
    },

    close,
    terminate: () => socket.terminate(),
    closed: new Promise((resolve) => void socket.once("close", () => resolve())),

    checkSlow() {
      if (slowSince === undefined) return;
      if (socket.bufferedAmount <= SLOW_BYTES) drained();
      else if (clock.now() - slowSince >= SLOW_TIMEOUT_MS) close("server_error", "slow consumer");
    },
  };
  return connection;
}
