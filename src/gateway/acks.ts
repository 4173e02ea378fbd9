/** What clients say about the messages they got: acknowledged up to an id, or one of them read. */
import type { ClientFrame } from "../contract/frames.ts";
import type { Logger } from "../platform/logger.ts";
import type { NoteAt, Position } from "../tracking/history.ts";
import type { Answers } from "./answers.ts";
import type { SentNote, SentRecord } from "./sent-record.ts";

/** Takes in what became of notifications after they were sent; it batches by itself. */
export interface Receipts {
  record(
    list: readonly { readonly noteId: string; readonly kind: "delivered" | "confirmed" | "read" }[],
  ): void;
}

export interface NoteLookup {
  notes(
    userId: string,
    range: { epoch: string; above: number; through: number },
  ): Promise<readonly NoteAt[]>;
}

/** The socket that speaks. */
export interface Acknowledger {
  readonly userId: string;
  readonly position: Position;
  /** Where it stood when its join was done. */
  readonly start: Position;
  /** Opened with `replay_from`: it says that it has everything up to there. */
  readonly resumed: boolean;
}

export type AckFrame = Extract<ClientFrame, { type: "ack" | "read" }>;

export interface Acks {
  /** Resolves when the receipts are handed on. Never rejects. */
  take(record: SentRecord, from: Acknowledger, frame: AckFrame): Promise<void>;
}

export function createAcks(deps: {
  readonly history: NoteLookup;
  readonly receipts: Receipts;
  readonly answers: Pick<Answers, "add">;
  readonly log: Logger;
}): Acks {
  const { history, receipts, answers, log } = deps;

  function tellWaiter(note: SentNote): void {
    if (note.waiter === undefined) return;
    const { workerId, fence } = note.waiter;
    note.waiter = undefined;
    answers.add(workerId, { noteId: note.noteId, fence, result: "acked", sockets: 1 });
  }

  async function acknowledge(
    record: SentRecord,
    from: Acknowledger,
    at: { epoch: string; id: number },
  ): Promise<void> {
    const above = Math.max(record.confirmedThrough(at.epoch), ackFloor(from, at));
    const covered = record.confirm(at.epoch, at.id);
    for (const note of covered) tellWaiter(note);
    report(covered);

    const known = new Set(covered.map(({ replayId }) => replayId));
    const here = covered.filter(({ replayId }) => replayId > above).length;
    if (at.id <= above || here === at.id - above) return;
    // Another node, or this one before the socket was reopened, sent the rest.
    const found = await history.notes(from.userId, { epoch: at.epoch, above, through: at.id });
    report(found.filter(({ replayId }) => !known.has(replayId)));
  }

  function report(notes: readonly { readonly noteId: string }[]): void {
    if (notes.length === 0) return;
    receipts.record(notes.map(({ noteId }) => ({ noteId, kind: "confirmed" })));
  }

  async function read(
    record: SentRecord,
    userId: string,
    at: { epoch: string; id: number },
  ): Promise<void> {
    const sent = record.find(at.epoch, at.id);
    if (sent !== undefined) tellWaiter(sent);
    // The id in the client's frame is not trusted: only what lies in this user's history counts.
    const notes =
      sent === undefined
        ? await history.notes(userId, { epoch: at.epoch, above: at.id - 1, through: at.id })
        : [sent];
    if (notes.length > 0) receipts.record(notes.map(({ noteId }) => ({ noteId, kind: "read" })));
  }

  return {
    async take(record, from, frame) {
      const epoch = frame.epoch ?? from.position.epoch;
      const id = Number(frame.replay_id);
      // Nobody can have received what was not sent yet.
      if (epoch === null || (epoch === from.position.epoch && id > from.position.id)) return;
      try {
        if (frame.type === "ack") await acknowledge(record, from, { epoch, id });
        else await read(record, from.userId, { epoch, id });
      } catch (error) {
        log.warn({ err: error }, "an acknowledgement could not be matched with the history");
      }
    },
  };
}

/**
 * An ack covers everything before it, but a socket that began in the middle of a history only
 * speaks for what it was sent itself.
 */
function ackFloor(from: Acknowledger, at: { epoch: string; id: number }): number {
  const { start, resumed } = from;
  return resumed || start.epoch !== at.epoch || at.id <= start.id ? 0 : start.id;
}
