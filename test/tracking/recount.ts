/** What analytics should say of notes, counted one by one. */
import { CHANNELS } from "../../src/contract/vocabulary.ts";
import type { Note } from "../../src/tracking/note.ts";
import { isSettled } from "../../src/tracking/status-machine.ts";

/** What analytics should say, counted from the notes one by one. */
export function recount(notes: readonly Note[]): Record<string, number> {
  const counts = countOf("total", notes.length);
  const add = (field: string): void => void (counts[field] = (counts[field] ?? 0) + 1);
  for (const note of notes) {
    if (isSettled(note.status)) add(`status.${note.status}`);
    if (note.replayId !== null) add("websocket.sent");
    for (const name of CHANNELS) {
      const { state, reason } = note.channels[name];
      if (reason === "offline") add(`${name}.offline`);
      if (name !== "websocket" && note.timeline.includes(` ${name} pending sending `)) {
        add(`${name}.sent`);
      }
      if (state === "delivered" || state === "confirmed") add(`${name}.delivered`);
      if (state === "confirmed") add(`${name}.confirmed`);
      if (state === "failed" || state === "unknown") add(`${name}.failed`);
    }
  }
  return counts;
}

/** A counter at zero is as good as none. */
export const countOf = (field: string, count: number): Record<string, number> =>
  count === 0 ? {} : { [field]: count };
