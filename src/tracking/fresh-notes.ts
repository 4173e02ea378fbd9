/**
 * Notes that this process has just created and will, most likely, work on itself in a moment: they
 * need not be read back, opened and parsed. Each is handed out once. That it is still what it was,
 * the ledger's scripts check by its version, as with a note that was read.
 */
import type { Clock } from "../platform/clock.ts";
import type { Note } from "./note.ts";

/** A longer queue is read from Redis. */
const MAX_NOTES = 10_000;
/** Of what they say, as Redis keeps it: 2 KB for each of so many. */
const MAX_BYTES = 20_000_000;
/** By then another process has worked on it, or it waits in a long queue. */
const STALE_MS = 10_000;

export interface FreshNotes {
  keep(note: Note): void;
  take(id: string): Note | undefined;
}

export function createFreshNotes(clock: Pick<Clock, "now">): FreshNotes {
  const notes = new Map<string, { readonly note: Note; readonly at: number }>();
  let bytes = 0;

  const isFull = (): boolean => notes.size >= MAX_NOTES || bytes >= MAX_BYTES;

  function forget(note: Note): void {
    notes.delete(note.id);
    bytes -= note.stateAt;
  }

  /** What came first is worked on first, so that in a full store the new one has to stay out. */
  function hasRoom(now: number): boolean {
    if (!isFull()) return true;
    for (const { note, at } of notes.values()) {
      if (now - at < STALE_MS) break;
      forget(note);
    }
    return !isFull();
  }

  return {
    keep(note) {
      const now = clock.now();
      if (notes.has(note.id) || !hasRoom(now)) return;
      notes.set(note.id, { note, at: now });
      bytes += note.stateAt;
    },
    take(id) {
      const found = notes.get(id);
      if (found !== undefined) forget(found.note);
      return found?.note;
    },
  };
}
