/** Bounds how often one user may open sockets: each join reads a history, so a loop of them is an attack. */
import type { Clock } from "../platform/clock.ts";

const WINDOW_MS = 10_000;
/** Ten tabs that come back three times within ten seconds are still an honest browser. */
const MAX_OPENINGS = 30;

export interface Openings {
  /** Counts one; false if it is one too many in this window. */
  take(userId: string): boolean;
}

export function createOpenings(clock: Pick<Clock, "now">): Openings {
  let counts = new Map<string, number>();
  let endsAt = 0;
  return {
    take(userId) {
      const now = clock.now();
      if (now >= endsAt) {
        counts = new Map();
        endsAt = now + WINDOW_MS;
      }
      const count = (counts.get(userId) ?? 0) + 1;
      counts.set(userId, count);
      return count <= MAX_OPENINGS;
    },
  };
}
