/**
 * One client's socket: writes frames in order, never faster than the client reads. A class with plain
 * fields: as an object of closures and getters each idle socket took 3 KB more.
 */
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
import { encodeTextFrame, encodeTextFrames } from "./text-frame.ts";

/** Above this much unsent, a socket gets no live frames until it has drained. */
export const SLOW_BYTES = 256 * 1024;

/** Above this much unsent, it is closed at once. */
const HOPELESS_BYTES = 1024 * 1024;

/** A socket that stays above `SLOW_BYTES` for so long is closed; it comes back with `replay_from`. */
export const SLOW_TIMEOUT_MS = 5_000;

/** A replay is written in pieces of about so many characters: all of it at once, as a rule. */
const REPLAY_WRITE_LENGTH = 64 * 1024;

/** What is used of a WebSocket. */
export interface OutgoingSocket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly CLOSED: number;
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: "close", listener: () => void): unknown;
}

/**
 * What is used of the stream below it. Frames go straight there: without compression the WebSocket
 * writes its own (pongs, the close) at once as well, so that none ever comes between the parts of one.
 */
export interface OutgoingStream {
  /** Bytes that are not yet handed to the operating system. */
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
  once(event: "drain", listener: () => void): unknown;
}

/** What is sent besides notifications. */
export type ControlFrame = ConnectedFrame | ErrorFrame | GoingAwayFrame | ReplayGapFrame;

export interface Replay {
  readonly gap: ReplayGapFrame | undefined;
  readonly frames: readonly Frame[];
  /** Where the socket stands once all is sent. */
  readonly end: Position;
}

/** What all connections of a node share. */
export interface ConnectionDeps {
  readonly clock: Clock;
  /** Frames of a replay were written. */
  replayed(connection: Connection, frames: readonly Frame[]): void;
  /** The socket takes live frames again, after a replay or after being slow. */
  ready(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly socket: OutgoingSocket;
  readonly stream: OutgoingStream;
  readonly caller: Pick<Caller, "userId" | "expiresAt">;
  /** Opened with `ack=1`: this client confirms what it receives. */
  readonly acknowledges: boolean;
  /** Opened with `replay_from`. */
  readonly resumed: boolean;
}

interface Backlog {
  readonly frames: readonly Frame[];
  next: number;
  readonly end: Position;
}

const NOWHERE: Position = { epoch: null, id: 0 };

export class Connection {
  readonly userId: string;
  readonly openedAt: number;
  /** Epoch ms at which its token runs out. */
  readonly expiresAt: number;
  readonly acknowledges: boolean;
  readonly resumed: boolean;
  /** Kept by the heartbeat: when the next one is due, and when silence has lasted too long. */
  nextBeatAt = 0;
  silentAt = 0;
  private at: Position = NOWHERE;
  private joinedAt: Position | undefined = undefined;
  private backlog: Backlog | undefined = undefined;
  private slowSince: number | undefined = undefined;
  private awaitsDrain = false;
  /** What cannot be opened was passed over: the client is told of it before its next message. */
  private passedOver = false;
  private readonly socket: OutgoingSocket;
  private readonly stream: OutgoingStream;
  private readonly deps: ConnectionDeps;

  constructor(deps: ConnectionDeps, options: ConnectionOptions) {
    this.userId = options.caller.userId;
    this.openedAt = deps.clock.now();
    this.expiresAt = options.caller.expiresAt;
    this.acknowledges = options.acknowledges;
    this.resumed = options.resumed;
    this.socket = options.socket;
    this.stream = options.stream;
    this.deps = deps;
  }

  /** Where the client stands: all up to there was written, or is about to be replayed. */
  get position(): Position {
    return this.at;
  }

  /** Where it stood when its join was done. */
  get start(): Position {
    return this.joinedAt ?? NOWHERE;
  }

  isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  isJoining(): boolean {
    return this.joinedAt === undefined && this.isOpen();
  }

  /** Whether its join is done, so that it counts as a socket of its user. */
  isJoined(): boolean {
    return this.joinedAt !== undefined && this.isOpen();
  }

  /** Whether a live frame can be written now: joined, nothing left to replay, not slow. */
  isTaking(): boolean {
    return this.isJoined() && this.backlog === undefined && !this.isSlow();
  }

  control(frame: ControlFrame): void {
    if (this.isOpen()) this.put(encodeTextFrame(JSON.stringify(frame)));
  }

  /** A control frame laid out once for many sockets; a slow socket does without. */
  beat(frame: Buffer): void {
    if (this.isOpen() && !this.isSlow()) this.put(frame);
  }

  /** Writes a live frame and moves the position behind it. False: it could not be written. */
  write(frame: Frame): boolean {
    if (!this.isOpen()) return false;
    this.moveTo(frame);
    const wire = frame.wire();
    if (wire === undefined) {
      this.passedOver = true;
      return false;
    }
    if (this.passedOver) this.control(this.takeHole(frame));
    this.put(wire);
    return true;
  }

  /** Sends a gap and frames as fast as the client reads; the first call ends the join. */
  replay({ gap, frames, end }: Replay): void {
    this.joinedAt ??= end;
    if (gap !== undefined) this.control(gap);
    this.backlog = { frames, next: 0, end };
    this.pump();
  }

  close(kind: CloseKind, reason: CloseReason): void {
    this.backlog = undefined;
    this.socket.close(CLOSE_CODES[kind].code, reason);
  }

  /** Cuts the connection. */
  terminate(): void {
    this.socket.terminate();
  }

  /** Resolves when the connection is gone. */
  whenClosed(): Promise<void> {
    if (this.socket.readyState === this.socket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => void this.socket.once("close", () => resolve()));
  }

  /** Closes a socket that has been slow for too long. Called every tick. */
  checkSlow(): void {
    if (this.slowSince === undefined) return;
    if (this.stream.writableLength <= SLOW_BYTES) this.drained();
    else if (this.deps.clock.now() - this.slowSince >= SLOW_TIMEOUT_MS) {
      this.close("server_error", "slow consumer");
    }
  }

  private isSlow(): boolean {
    if (this.stream.writableLength <= SLOW_BYTES) return false;
    this.slowSince ??= this.deps.clock.now();
    if (!this.awaitsDrain) {
      this.awaitsDrain = true;
      this.stream.once("drain", () => {
        this.awaitsDrain = false;
        this.drained();
      });
    }
    return true;
  }

  private drained(): void {
    if (this.slowSince === undefined || this.stream.writableLength > SLOW_BYTES) return;
    this.slowSince = undefined;
    if (!this.isJoined()) return;
    if (this.backlog === undefined) this.deps.ready(this);
    else this.pump();
  }

  private put(bytes: Buffer): void {
    this.stream.write(bytes);
    if (this.stream.writableLength > HOPELESS_BYTES) this.close("server_error", "slow consumer");
  }

  private moveTo({ epoch, replayId }: Frame): void {
    // The text of the same epoch that is kept already: a frame's is a part of its whole message.
    this.at = { epoch: this.at.epoch === epoch ? this.at.epoch : epoch, id: replayId };
  }

  /** What lies before this frame cannot be had any more than what was cut off. */
  private takeHole({ epoch, replayId }: Frame): ReplayGapFrame {
    this.passedOver = false;
    return { type: "replay_gap", reason: "trimmed", oldest_replay_id: String(replayId), epoch };
  }

  /** Writes what is left of a replay until the socket is full; draining calls it again. */
  private pump(): void {
    const sent: Frame[] = [];
    while (this.backlog !== undefined && this.isOpen() && !this.isSlow()) {
      if (this.backlog.next < this.backlog.frames.length) this.putPiece(this.backlog, sent);
      else {
        this.at = this.backlog.end;
        this.backlog = undefined;
      }
    }
    if (sent.length > 0) this.deps.replayed(this, sent);
    if (this.backlog === undefined && this.isOpen()) this.deps.ready(this);
  }

  /** Writes the next frames of a replay together; what cannot be opened is passed over, and said. */
  private putPiece(backlog: Backlog, sent: Frame[]): void {
    const texts: string[] = [];
    let length = 0;
    while (length < REPLAY_WRITE_LENGTH) {
      const frame = backlog.frames[backlog.next];
      if (frame === undefined) break;
      backlog.next += 1;
      this.moveTo(frame);
      const text = frame.text();
      if (text === undefined) {
        this.passedOver = true;
        continue;
      }
      if (this.passedOver) texts.push(JSON.stringify(this.takeHole(frame)));
      texts.push(text);
      length += text.length;
      sent.push(frame);
    }
    if (texts.length > 0) this.put(encodeTextFrames(texts));
  }
}
