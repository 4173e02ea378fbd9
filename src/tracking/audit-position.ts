/** A place in the audit trail, in the one order of all its streams; a cursor is one as text. */

export interface Position {
  /** Of the entry's id in its stream: Redis' time, and a number within that millisecond. */
  readonly ms: number;
  readonly seq: number;
  /** Which stream, for entries of one millisecond. */
  readonly stream: number;
  /** Which of the lines that the stream holds under that id; 0 is the oldest. */
  readonly line: number;
}

/** Cursors of before entries held several lines name none: they stand behind all of an entry. */
const CURSOR_PATTERN = /^([1-9]\d{0,14})-(\d{1,15})-(\d{1,4})(?:-(\d{1,4}))?$/;

/** Negative when `a` comes first: newest first. */
export function comparePositions(a: Position, b: Position): number {
  return b.ms - a.ms || b.seq - a.seq || a.stream - b.stream || b.line - a.line;
}

/**
 * The place of an entry's oldest line.
 * @throws TypeError if it is not an id as Redis makes them
 */
export function positionOf(id: string, stream: number): Position {
  const [ms, seq] = id.split("-").map(Number);
  if (ms === undefined || seq === undefined) throw new TypeError(`not a stream id: ${id}`);
  return { ms, seq, stream, line: 0 };
}

export function encodeCursor({ ms, seq, stream, line }: Position): string {
  return Buffer.from(`${ms}-${seq}-${stream}-${line}`).toString("base64url");
}

/** `undefined` if it is none of ours. */
export function decodeCursor(cursor: string): Position | undefined {
  const match = CURSOR_PATTERN.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  if (match === null) return undefined;
  const [, ms, seq, stream, line = 0] = match;
  return { ms: Number(ms), seq: Number(seq), stream: Number(stream), line: Number(line) };
}

/**
 * The highest id, for XREVRANGE, of which a stream still has something after this position: of the
 * same id, streams of a higher number are yet to come, and the older lines of its own.
 */
export function upperBoundAfter({ ms, seq, stream, line }: Position, ofStream: number): string {
  const remains = ofStream > stream || (ofStream === stream && line > 0);
  return remains ? `${ms}-${seq}` : `(${ms}-${seq}`;
}
