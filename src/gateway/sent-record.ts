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
}

/** As many as a history keeps by default; older ones are found there, if at all. */
const MAX_SENT_NOTES = 100;

export interface SentRecord {
  /** Remembers a message unless it was confirmed or is known already. */
  add(note: Omit<SentNote, "waiter">, waiter?: AckWaiter): void;
  find(epoch: string, replayId: number): SentNote | undefined;
  isConfirmed(epoch: string, replayId: number): boolean;
  /** The highest id confirmed in this epoch; 0 if none. */
  confirmedThrough(epoch: string): number;
  /** Takes out, ascending, what an ack of `through` covers, and remembers that it was confirmed. */
  confirm(epoch: string, through: number): SentNote[];
}

const keyOf = (epoch: string, replayId: number): string => `${replayId} ${epoch}`;

export function createSentRecord(): SentRecord {
  const notes = new Map<string, SentNote>();
  let confirmed: { readonly epoch: string; readonly id: number } | undefined;

  const confirmedThrough = (epoch: string): number =>
    confirmed?.epoch === epoch ? confirmed.id : 0;
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
      notes.set(key, { epoch, replayId, noteId, waiter });
      for (const oldest of notes.keys()) {
        if (notes.size <= MAX_SENT_NOTES) break;
        notes.delete(oldest);
      }
    },

    find: (epoch, replayId) => notes.get(keyOf(epoch, replayId)),
    isConfirmed,
    confirmedThrough,

    confirm(epoch, through) {
      const covered = [...notes.values()].filter(
        (note) => note.epoch === epoch && note.replayId <= through,
      );
      for (const note of covered) notes.delete(keyOf(note.epoch, note.replayId));
      confirmed = { epoch, id: Math.max(through, confirmedThrough(epoch)) };
      return covered.sort((a, b) => a.replayId - b.replayId);
    },
  };
}
