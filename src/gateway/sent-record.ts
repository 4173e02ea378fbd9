/** What a user's acknowledging sockets were sent and have not confirmed yet. Bounded. */

/** Who waits for the acknowledgement of a message. */
export interface AckWaiter {
  readonly workerId: string;
  readonly fence: number;
  /** A pressing message: what happens next depends on the acknowledgement. */
  readonly wantsAck: boolean;
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

const keyOf = (epoch: string, replayId: number): string => `${replayId} ${epoch}`;

/**
 * A copy of its own. What is cut out of a message keeps the whole of it in memory: here up to a
 * hundred payloads for a client that never acknowledges.
 */
export const ownText = (text: string): string => Buffer.from(text).toString();

/** A class: it is there for every user whose sockets acknowledge. */
export class SentRecord {
  private readonly notes = new Map<string, SentNote>();
  private asked: Set<string> | undefined = undefined;
  /** Of the message that came last: nearly always that of the next. */
  private epoch = "";
  /** The highest confirmed id by epoch, the epoch that was confirmed last at the end. */
  private readonly confirmed = new Map<string, number>();

  /** Remembers a message unless it was confirmed or is known already. */
  add({ epoch, replayId, noteId }: Omit<SentNote, "waiter" | "read">, waiter?: AckWaiter): void {
    if (this.isConfirmed(epoch, replayId)) return;
    const key = keyOf(epoch, replayId);
    const known = this.notes.get(key);
    if (known !== undefined) {
      known.waiter ??= waiter && waiterOf(waiter);
      return;
    }
    if (this.epoch !== epoch) this.epoch = ownText(epoch);
    const note = { epoch: this.epoch, replayId, noteId: ownText(noteId), read: false };
    this.notes.set(key, { ...note, waiter: waiter && waiterOf(waiter) });
    keepNewest(this.notes, MAX_SENT_NOTES);
  }

  find(epoch: string, replayId: number): SentNote | undefined {
    return this.notes.get(keyOf(epoch, replayId));
  }

  isConfirmed(epoch: string, replayId: number): boolean {
    return replayId <= this.confirmedThrough(epoch);
  }

  /** The highest id confirmed in this epoch; 0 if none. */
  confirmedThrough(epoch: string): number {
    return this.confirmed.get(epoch) ?? 0;
  }

  /** Takes out, ascending, what an ack of `through` covers, and remembers that it was confirmed. */
  confirm(epoch: string, through: number): SentNote[] {
    const covered: SentNote[] = [];
    for (const [key, note] of this.notes) {
      if (note.replayId > through || note.epoch !== epoch) continue;
      covered.push(note);
      this.notes.delete(key);
    }
    const id = Math.max(through, this.confirmedThrough(epoch));
    this.confirmed.delete(epoch);
    this.confirmed.set(epoch, id);
    keepNewest(this.confirmed, MAX_EPOCHS);
    return covered.length < 2 ? covered : covered.sort((a, b) => a.replayId - b.replayId);
  }

  /** Whether a read of an id that was not sent from here is asked about for the first time. */
  firstAsked(epoch: string, replayId: number): boolean {
    this.asked ??= new Set();
    const key = keyOf(epoch, replayId);
    if (this.asked.has(key)) return false;
    this.asked.add(key);
    keepNewest(this.asked, MAX_ASKED_IDS);
    return true;
  }
}

/** Not the message that it comes from, which would stay in memory with it. */
const waiterOf = ({ workerId, fence, wantsAck }: AckWaiter): AckWaiter => ({
  workerId,
  fence,
  wantsAck,
});

/** Maps and sets remember in which order their keys came. */
function keepNewest(keyed: Map<string, unknown> | Set<string>, limit: number): void {
  for (const oldest of keyed.keys()) {
    if (keyed.size <= limit) return;
    keyed.delete(oldest);
  }
}
