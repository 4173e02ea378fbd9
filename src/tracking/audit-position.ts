/** A place in the audit trail, in the one order of all its streams; a cursor is one as text. */

export interface Position {
  /** Of the entry's id in its stream: Redis' time, and a number within that millisecond. */
  readonly ms: number;
  readonly seq: number;
  /** Which stream, for entries of one millisecond. */
  readonly stream: number;
}

const CURSOR_PATTERN = /^([1-9]\d{0,14})-(\d{1,15})-(\d{1,4})$/;

/** Negative when `a` comes first: newest first. */
export function comparePositions(a: Position, b: Position): number {
  return b.ms - a.ms || b.seq - a.seq || a.stream - b.stream;
}

/** @throws TypeError if it is not an id as Redis makes them. */
export function positionOf(id: string, stream: number): Position {
  const [ms, seq] = id.split("-").map(Number);
  if (ms === undefined || seq === undefined) throw new TypeError(`not a stream id: ${id}`);
  return { ms, seq, stream };
}

export function encodeCursor({ ms, seq, stream }: Position): string {
  return Buffer.from(`${ms}-${seq}-${stream}`).toString("base64url");
}

/** `undefined` if it is none of ours. */
export function decodeCursor(cursor: string): Position | undefined {
  const match = CURSOR_PATTERN.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  if (match === null) return undefined;
  return { ms: Number(match[1]), seq: Number(match[2]), stream: Number(match[3]) };
}

/**
 * The highest id, for XREVRANGE, that a stream still has after this position: of its millisecond,
 * streams of a higher number are yet to come.
 */
export function upperBoundAfter({ ms, seq, stream }: Position, ofStream: number): string {
  return ofStream > stream ? `${ms}-${seq}` : `(${ms}-${seq}`;
}
