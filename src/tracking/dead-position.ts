/** A place in the list of dead notes, newest first over all shards; a cursor is one as text. */

export interface DeadPosition {
  /** When the note failed, epoch ms. */
  readonly at: number;
  /** Of the note; tells apart what failed in one millisecond. */
  readonly id: string;
}

const CURSOR_PATTERN = /^([1-9]\d{0,14}) ([0-9a-f-]{36})$/;

/** Negative when `a` comes first. */
export function compareDead(a: DeadPosition, b: DeadPosition): number {
  if (a.at !== b.at) return b.at - a.at;
  return a.id === b.id ? 0 : a.id > b.id ? -1 : 1;
}

export function encodeDeadCursor({ at, id }: DeadPosition): string {
  return Buffer.from(`${at} ${id}`).toString("base64url");
}

/** `undefined` if it is none of ours. */
export function decodeDeadCursor(cursor: string): DeadPosition | undefined {
  const match = CURSOR_PATTERN.exec(Buffer.from(cursor, "base64url").toString("latin1"));
  const [, at, id] = match ?? [];
  return at === undefined || id === undefined ? undefined : { at: Number(at), id };
}
