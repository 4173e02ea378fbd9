/** What clients say about the messages they got: acknowledged up to an id, or one of them read. */
import type { ClientFrame } from "../contract/frames.ts";
import type { Position } from "../tracking/history.ts";
import type { Answers } from "./answers.ts";
import type { Lookups } from "./lookups.ts";
import type { SentNote, SentRecord } from "./sent-record.ts";

/** Takes in what became of notifications after they were sent; it batches by itself. */
export interface Receipts {
  record(
    list: readonly { readonly noteId: string; readonly kind: "delivered" | "confirmed" | "read" }[],
  ): void;
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
  /** Hands on what this node sent at once, and the rest when the history has been asked. */
  take(record: SentRecord, from: Acknowledger, frame: AckFrame): void;
}

interface Place {
  readonly epoch: string;
  readonly id: number;
}

export function createAcks(deps: {
  readonly lookups: Pick<Lookups, "add">;
  readonly receipts: Receipts;
  readonly answers: Pick<Answers, "add">;
}): Acks {
  const { lookups, receipts, answers } = deps;

  function tellWaiter(note: SentNote): void {
    if (note.waiter === undefined) return;
    const { workerId, fence } = note.waiter;
    note.waiter = undefined;
    answers.add(workerId, { noteId: note.noteId, fence, result: "acked", sockets: 1 });
  }

  function acknowledge(record: SentRecord, from: Acknowledger, at: Place): void {
    const above = Math.max(record.confirmedThrough(at.epoch), ackFloor(from, at));
    const covered = record.confirm(at.epoch, at.id);
    const unasked = covered.filter((note) => !isLeftToWaiter(note));
    for (const note of covered) tellWaiter(note);
    if (unasked.length > 0) {
      receipts.record(unasked.map(({ noteId }) => ({ noteId, kind: "confirmed" })));
    }

    // Another node, or this one before the socket was reopened, sent what is missing in between.
    let missing = above;
    for (const { replayId } of [...covered, { replayId: at.id + 1 }]) {
      if (replayId > missing + 1) {
        const range = { epoch: at.epoch, above: missing, through: replayId - 1 };
        lookups.add(from.userId, { kind: "confirmed", ...range });
      }
      missing = Math.max(missing, replayId);
    }
  }

  function read(record: SentRecord, userId: string, at: Place): void {
    const sent = record.find(at.epoch, at.id);
    if (sent === undefined) {
      // The id in the client's frame is not trusted: only what lies in this user's history counts.
      if (!record.firstAsked(at.epoch, at.id)) return;
      lookups.add(userId, { kind: "read", epoch: at.epoch, above: at.id - 1, through: at.id });
      return;
    }
    tellWaiter(sent);
    if (sent.read) return;
    sent.read = true;
    receipts.record([{ noteId: sent.noteId, kind: "read" }]);
  }

  return {
    take(record, from, frame) {
      const epoch = frame.epoch ?? from.position.epoch;
      const id = Number(frame.replay_id);
      // Nobody can have received what was not sent yet.
      if (epoch === null || (epoch === from.position.epoch && id > from.position.id)) return;
      if (frame.type === "ack") acknowledge(record, from, { epoch, id });
      else read(record, from.userId, { epoch, id });
    },
  };
}

/**
 * An ack covers everything before it, but a socket that began in the middle of a history only
 * speaks for what it was sent itself.
 */
function ackFloor(from: Acknowledger, at: Place): number {
  const { start, resumed } = from;
  return resumed || start.epoch !== at.epoch || at.id <= start.id ? 0 : start.id;
}

/**
 * A worker that waits records the ack together with the delivery, or as a receipt if it comes too
 * late. That of a pressing message is recorded here as well: a worker that dies with it would have
 * the person be sent an SMS about what they have read.
 */
function isLeftToWaiter({ waiter }: SentNote): boolean {
  return waiter !== undefined && !waiter.wantsAck;
}
