/** What a user's acknowledging sockets were sent and have not confirmed yet. Bounded. */

/** Who waits for the acknowledgement of a pressing message. */
export interface AckWaiter {
  readonly workerId: string;
  readonly fence: number;
}

export interface SentNote {
  readonly epoch: string;
  readonly replayId: number;
  readonly noteId: string;
  waiter: AckWaiter | undefined;
  /** Reported as read. */
  read: boolean;
}

/** As many as a history keeps by default; older ones are found there, if at all. */
const MAX_SENT_NOTES = 100;

/** Ids that were looked up for a read: twice what a history keeps by default. */
const MAX_ASKED_IDS = 200;

/** Epochs whose confirmed ids are remembered: clients name them, so they may be invented. */
const MAX_EPOCHS = 4;

export interface SentRecord {
  /** Remembers a message unless it was confirmed or is known already. */
  add(note: Omit<SentNote, "waiter" | "read">, waiter?: AckWaiter): void;
  find(epoch: string, replayId: number): SentNote | undefined;
  isConfirmed(epoch: string, replayId: number): boolean;
  /** The highest id confirmed in this epoch; 0 if none. */
  confirmedThrough(epoch: string): number;
  /** Takes out, ascending, what an ack of `through` covers, and remembers that it was confirmed. */
  confirm(epoch: string, through: number): SentNote[];
  /** Whether a read of an id that was not sent from here is asked about for the first time. */
  firstAsked(epoch: string, replayId: number): boolean;
}

const keyOf = (epoch: string, replayId: number): string => `${replayId} ${epoch}`;

export function createSentRecord(): SentRecord {
  const notes = new Map<string, SentNote>();
  const asked = new Set<string>();
  /** The highest confirmed id by epoch, the epoch that was confirmed last at the end. */
  const confirmed = new Map<string, number>();

  const confirmedThrough = (epoch: string): number => confirmed.get(epoch) ?? 0;
  const isConfirmed = (epoch: string, replayId: number): boolean =>
    replayId <= confirmedThrough(epoch);

  return {
    add({ epoch, replayId, noteId }, waiter) {
      if (isConfirmed(epoch, replayId)) return;
      const key = keyOf(epoch, replayId);
      const known = notes.get(key);
      if (known !== undefined) {
        known.waiter ??= waiter;
        return;
      }
      notes.set(key, { epoch, replayId, noteId, waiter, read: false });
      keepNewest(notes, MAX_SENT_NOTES);
    },

    find: (epoch, replayId) => notes.get(keyOf(epoch, replayId)),
    isConfirmed,
    confirmedThrough,

    confirm(epoch, through) {
      const covered = [...notes.values()].filter(
        (note) => note.epoch === epoch && note.replayId <= through,
      );
      for (const note of covered) notes.delete(keyOf(note.epoch, note.replayId));
      const id = Math.max(through, confirmedThrough(epoch));
      confirmed.delete(epoch);
      confirmed.set(epoch, id);
      keepNewest(confirmed, MAX_EPOCHS);
      return covered.sort((a, b) => a.replayId - b.replayId);
    },

    firstAsked(epoch, replayId) {
      const key = keyOf(epoch, replayId);
      if (asked.has(key)) return false;
      asked.add(key);
      keepNewest(asked, MAX_ASKED_IDS);
      return true;
    },
  };
}

/** Maps and sets remember in which order their keys came. */
function keepNewest(keyed: Map<string, unknown> | Set<string>, limit: number): void {
  for (const oldest of keyed.keys()) {
    if (keyed.size <= limit) return;
    keyed.delete(oldest);
  }
}
