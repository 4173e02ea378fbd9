/** Remembers which notifications a person has read, across reloads of this browser. */
import * as z from "zod/mini";
import type { PositionStorage } from "../client/position.ts";

export interface ReadMarks {
  has(notificationId: string): boolean;
  add(notificationIds: readonly string[]): void;
}

/**
 * The service keeps 100 messages a person. While one of them stays, at most 99 older and 99 newer
 * ones can be read after it, so with this many marks none is dropped that a reload still asks for.
 */
const MAX_MARKS = 300;

const marksSchema = z.array(z.string().check(z.maxLength(64)));

function load(storage: PositionStorage, key: string): readonly string[] {
  try {
    return z.safeParse(marksSchema, JSON.parse(storage.getItem(key) ?? "null")).data ?? [];
  } catch {
    return [];
  }
}

/**
 * Marks of one person. What merely arrived is not marked: a replay id says how far the client has
 * received, never what anybody looked at. Without storage, the marks live as long as the tab.
 */
export function createReadMarks(storage: PositionStorage, userId: string): ReadMarks {
  const key = `schoolbell.read.${userId}`;
  let marks = new Set(load(storage, key));

  return {
    has: (notificationId) => marks.has(notificationId),
    add(notificationIds) {
      // Another tab of the same person may have written in between.
      const all = new Set([...load(storage, key), ...marks, ...notificationIds]);
      marks = new Set([...all].slice(-MAX_MARKS));
      try {
        storage.setItem(key, JSON.stringify([...marks]));
      } catch {
        // Kept in memory, which is all that can be done.
      }
    },
  };
}
