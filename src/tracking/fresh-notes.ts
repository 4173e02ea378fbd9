/**
 * Notes that this process has just created and will, most likely, work on itself in a moment: they
 * need not be read back, opened and parsed. Each is handed out once. That it is still what it was,
 * the ledger's scripts check by its version, as with a note that was read.
 */
import type { Clock } from "../platform/clock.ts";
import type { Note } from "./note.ts";

/** About 20 MB. A longer queue is read from Redis. */
const MAX_NOTES = 10_000;
/** By then another process has worked on it, or it waits in a long queue. */
const STALE_MS = 10_000;

export interface FreshNotes {
  keep(note: Note): void;
  take(id: string): Note | undefined;
}

export function createFreshNotes(clock: Pick<Clock, "now">): FreshNotes {
  const notes = new Map<string, { readonly note: Note; readonly at: number }>();

  /** What came first is worked on first, so that in a full store the new one has to stay out. */
  function hasRoom(now: number): boolean {
    if (notes.size < MAX_NOTES) return true;
    for (const [id, { at }] of notes) {
      if (now - at < STALE_MS) break;
      notes.delete(id);
    }
    return notes.size < MAX_NOTES;
  }

  return {
    keep(note) {
      const now = clock.now();
      if (hasRoom(now)) notes.set(note.id, { note, at: now });
    },
    take(id) {
      const found = notes.get(id);
      if (found !== undefined) notes.delete(id);
      return found?.note;
    },
  };
}
