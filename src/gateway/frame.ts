/** One message ready for sockets: opened and laid out once, however many tabs receive it. */
import { frameText, type HistoryEntry } from "../contract/node-message.ts";
import { encodeTextFrame } from "./text-frame.ts";

export interface Frame {
  readonly replayId: number;
  readonly epoch: string;
  readonly noteId: string;
  /** The JSON text; undefined if its seal cannot be opened. */
  text(): string | undefined;
  /** The same as a WebSocket frame, kept for the user's other sockets. */
  wire(): Buffer | undefined;
}

/** Opens what was stored; the gateway needs no more of the encryption than this. */
export interface SealOpener {
  open(sealed: string): string;
}

export type FrameOf = (entry: HistoryEntry) => Frame;

interface FrameDeps {
  readonly sealing: SealOpener;
  /** Hears of messages that cannot be opened: altered, or sealed with another key. */
  readonly onBroken: (noteId: string, error: unknown) => void;
}

/** A class, because a full replay makes a hundred of them for each user. */
class SealedFrame implements Frame {
  readonly replayId: number;
  readonly epoch: string;
  readonly noteId: string;
  private readonly payload: string;
  private readonly deps: FrameDeps;
  private laidOut: Buffer | undefined = undefined;
  private broken = false;

  constructor(entry: HistoryEntry, deps: FrameDeps) {
    this.replayId = entry.replayId;
    this.epoch = entry.epoch;
    this.noteId = entry.noteId;
    this.payload = entry.payload;
    this.deps = deps;
  }

  text(): string | undefined {
    if (this.broken) return undefined;
    try {
      return frameText(this, this.deps.sealing.open(this.payload));
    } catch (error) {
      this.broken = true;
      this.deps.onBroken(this.noteId, error);
      return undefined;
    }
  }

  wire(): Buffer | undefined {
    if (this.laidOut === undefined) {
      const text = this.text();
      if (text !== undefined) this.laidOut = encodeTextFrame(text);
    }
    return this.laidOut;
  }
}

export function createFrameOf(deps: FrameDeps): FrameOf {
  return (entry) => new SealedFrame(entry, deps);
}
