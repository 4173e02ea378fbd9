/** One message ready for sockets: opened and serialised once, however many tabs receive it. */
import { frameText, type HistoryEntry } from "../contract/node-message.ts";

export interface Frame {
  readonly replayId: number;
  readonly epoch: string;
  readonly noteId: string;
  /** UTF-8 text of the frame; undefined if its seal cannot be opened. */
  bytes(): Buffer | undefined;
}

/** Opens what was stored; the gateway needs no more of the encryption than this. */
export interface SealOpener {
  open(sealed: string): string;
}

export type FrameOf = (entry: HistoryEntry) => Frame;

/** `onBroken` hears of messages that cannot be opened: altered, or sealed with another key. */
export function createFrameOf(deps: {
  readonly sealing: SealOpener;
  readonly onBroken: (noteId: string, error: unknown) => void;
}): FrameOf {
  const { sealing, onBroken } = deps;
  return (entry) => {
    let cached: Buffer | undefined;
    let broken = false;
    return {
      replayId: entry.replayId,
      epoch: entry.epoch,
      noteId: entry.noteId,
      bytes() {
        if (cached !== undefined || broken) return cached;
        try {
          cached = Buffer.from(frameText(entry, sealing.open(entry.payload)));
        } catch (error) {
          broken = true;
          onBroken(entry.noteId, error);
        }
        return cached;
      },
    };
  };
}
