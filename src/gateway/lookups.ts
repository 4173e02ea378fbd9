/**
 * Finds in the history what clients speak of and this node does not remember. A frame from a client
 * costs it nothing and a look costs Redis a list read, so there is one look at a time for a user,
 * which takes up all that was asked meanwhile, and a budget for them.
 */
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { NoteAt } from "../tracking/history.ts";

export interface NoteLookup {
  notes(
    userId: string,
    range: { epoch: string; above: number; through: number },
  ): Promise<readonly NoteAt[]>;
}

/** What became of the notes with `above < replay id <= through`. */
export interface SpokenOf {
  readonly kind: "confirmed" | "read";
  readonly epoch: string;
  readonly above: number;
  readonly through: number;
}

export interface Lookups {
  /** Has these looked up, soon or, once the budget is spent, in the next window. Never throws. */
  add(userId: string, spokenOf: SpokenOf): void;
  stop(): void;
}

const WINDOW_MS = 10_000;

/** Looks per user and window: ten tabs that acknowledge what another node sent them need one each. */
export const LOOKUPS_PER_WINDOW = 20;

/** Separate ranges that may wait for one user; what goes beyond is not looked up. */
const MAX_WAITING_RANGES = 100;

interface Asker {
  waiting: SpokenOf[];
  looking: boolean;
}

export function createLookups(deps: {
  readonly history: NoteLookup;
  readonly onFound: (kind: SpokenOf["kind"], notes: readonly NoteAt[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** False: as many looks as it takes, for load tests. */
  readonly limited: boolean;
}): Lookups {
  const { history, onFound, clock, log, limited } = deps;
  const askers = new Map<string, Asker>();
  /** By user and not by socket, so that coming back does not renew it. */
  const looks = new Map<string, number>();
  let windowEndsAt = 0;
  let cancelResume: Cancel | undefined;
  let stopped = false;

  function mayLook(userId: string): boolean {
    if (!limited) return true;
    const now = clock.now();
    if (now >= windowEndsAt) {
      looks.clear();
      windowEndsAt = now + WINDOW_MS;
    }
    const used = looks.get(userId) ?? 0;
    if (used >= LOOKUPS_PER_WINDOW) return false;
    looks.set(userId, used + 1);
    return true;
  }

  async function look(userId: string, asker: Asker): Promise<void> {
    asker.looking = true;
    while (asker.waiting.length > 0 && mayLook(userId)) {
      await lookOnce(userId, takeEpoch(asker));
    }
    asker.looking = false;
    if (asker.waiting.length === 0) askers.delete(userId);
    else cancelResume ??= clock.after(Math.max(0, windowEndsAt - clock.now()), resume);
  }

  async function lookOnce(userId: string, asked: readonly [SpokenOf, ...SpokenOf[]]) {
    const range = {
      epoch: asked[0].epoch,
      above: Math.min(...asked.map(({ above }) => above)),
      through: Math.max(...asked.map(({ through }) => through)),
    };
    try {
      const notes = await history.notes(userId, range);
      for (const kind of ["confirmed", "read"] as const) {
        const ranges = asked.filter((spokenOf) => spokenOf.kind === kind);
        const found = notes.filter(({ replayId }) =>
          ranges.some(({ above, through }) => above < replayId && replayId <= through),
        );
        if (found.length > 0) onFound(kind, found);
      }
    } catch (error) {
      log.warn({ err: error }, "an acknowledgement could not be matched with the history");
    }
  }

  function resume(): void {
    cancelResume = undefined;
    for (const [userId, asker] of askers) if (!asker.looking) void look(userId, asker);
  }

  return {
    add(userId, spokenOf) {
      if (stopped) return;
      const asker = askers.get(userId) ?? { waiting: [], looking: false };
      askers.set(userId, asker);
      asker.waiting = joinRanges(asker.waiting, spokenOf);
      if (!asker.looking) void look(userId, asker);
    },

    stop() {
      stopped = true;
      cancelResume?.();
      for (const asker of askers.values()) asker.waiting = [];
    },
  };
}

/** Takes out what can be looked up together with the first that waits. */
function takeEpoch(asker: Asker): [SpokenOf, ...SpokenOf[]] {
  const [first, ...others] = asker.waiting;
  if (first === undefined) throw new Error("nothing waits to be looked up");
  asker.waiting = others.filter(({ epoch }) => epoch !== first.epoch);
  return [first, ...others.filter(({ epoch }) => epoch === first.epoch)];
}

/** Adds a range to those that wait, as one with all that it touches. */
function joinRanges(waiting: readonly SpokenOf[], added: SpokenOf): SpokenOf[] {
  const apart: SpokenOf[] = [];
  let { above, through } = added;
  for (const range of waiting) {
    const touches =
      range.kind === added.kind &&
      range.epoch === added.epoch &&
      range.above <= added.through &&
      range.through >= added.above;
    if (touches) {
      above = Math.min(above, range.above);
      through = Math.max(through, range.through);
    } else apart.push(range);
  }
  return apart.length < MAX_WAITING_RANGES ? [...apart, { ...added, above, through }] : apart;
}
