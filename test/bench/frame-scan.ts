/** Finds in a frame what the judgement needs, without parsing the rest: 0.7 us instead of 1.1 us each. */

/** `bench-17` is the notification with index 17. */
export const CORRELATION_PREFIX = "bench-";

export interface ScannedFrame {
  /** Which of the bench's own it is; NaN if it is none of them. */
  readonly index: number;
  readonly replayId: number;
  readonly notificationId: string;
}

const NOTIFICATION_ID = '"notification_id":"';
const REPLAY_ID = '"replay_id":"';
const CORRELATION = `"correlation_id":"${CORRELATION_PREFIX}`;

/**
 * Reads the frame that lies at `from` to `to`. The bench's own texts hold no such names, so the
 * first place of each is the field itself.
 * @returns undefined for a frame that is no notification
 */
export function scanFrame(bytes: Buffer, from: number, to: number): ScannedFrame | undefined {
  const text = bytes.toString("latin1", from, to);
  const id = text.indexOf(NOTIFICATION_ID);
  if (id < 0) return undefined;
  const idFrom = id + NOTIFICATION_ID.length;
  return {
    index: numberAfter(text, CORRELATION),
    replayId: numberAfter(text, REPLAY_ID),
    // From the bytes: a piece of the text would keep all of it in memory.
    notificationId: bytes.toString("latin1", from + idFrom, from + text.indexOf('"', idFrom)),
  };
}

function numberAfter(text: string, name: string): number {
  const found = text.indexOf(name);
  if (found < 0) return Number.NaN;
  const from = found + name.length;
  return Number(text.slice(from, text.indexOf('"', from)));
}
