/** One user's sockets on this node: hands them every message once, in order, without holes. */
import type { AnswerResult, NodeMessage } from "../contract/node-message.ts";
import type { Logger } from "../platform/logger.ts";
import type { HistoryView, Position } from "../tracking/history.ts";
import type { Answers } from "./answers.ts";
import type { Replay } from "./connection.ts";
import type { Frame, FrameOf } from "./frame.ts";
import { gapAtCatchUp, gapFrame, isBehind, relate } from "./replay-plan.ts";
import { createSentRecord, type SentRecord } from "./sent-record.ts";

/** What a room needs of a socket. */
export interface Seat {
  readonly position: Position;
  readonly acknowledges: boolean;
  isJoined(): boolean;
  isTaking(): boolean;
  write(frame: Frame): boolean;
  replay(replay: Replay): void;
}

/** Messages that may wait while a history is read; what is beyond is read from the history too. */
const MAX_WAITING_MESSAGES = 1_000;

export interface Room {
  readonly userId: string;
  readonly record: SentRecord;
  readonly seats: ReadonlySet<Seat>;
  add(seat: Seat): void;
  remove(seat: Seat): void;
  /** A message for this user. It is answered exactly once. */
  deliver(message: NodeMessage): void;
  /** Whether a worker is still to be answered for this message. */
  owesAnswer(noteId: string): boolean;
  /** A socket has joined, or takes frames again after it was slow. */
  ready(seat: Seat): void;
  /** Brings sockets up to where the history stands. */
  repair(now: Position): void;
}

export interface RoomDeps {
  readonly history: { since(userId: string, position: Position): Promise<HistoryView> };
  readonly answers: Pick<Answers, "add">;
  readonly frameOf: FrameOf;
  /** Hears how many sockets a live message was written to, once per message. */
  readonly onSent: (frames: number) => void;
  readonly log: Logger;
}

export function createRoom(userId: string, deps: RoomDeps): Room {
  const { history, answers, frameOf, onSent, log } = deps;
  const record = createSentRecord();
  const seats = new Set<Seat>();
  const queue: NodeMessage[] = [];
  /** Sockets that lack messages which were handed out meanwhile. */
  const behind = new Set<Seat>();
  let reading = false;
  let latest: Position = { epoch: null, id: 0 };
  /** The history was read for this message; if it is still out of reach, no second reading helps. */
  let tried: NodeMessage | undefined;

  function answer(message: NodeMessage, result: AnswerResult, sockets: number): void {
    const { noteId, fence, workerId } = message;
    answers.add(workerId, { noteId, fence, result, sockets });
  }

  function drain(): void {
    while (!reading) {
      const lacking = behind.size === 0 ? [] : [...behind].filter((seat) => seat.isTaking());
      if (lacking.length > 0) return void catchUp(lacking);
      const message = queue[0];
      if (message === undefined) return;
      const joined = [...seats].filter((seat) => seat.isJoined());
      // The only sockets are joining: the message waits until one of them can say what it needs.
      if (joined.length === 0 && seats.size > 0) return;
      if (tried !== message) {
        const needy = joined.filter((seat) => seat.isTaking() && isOutOfReach(seat, message));
        tried = message;
        if (needy.length > 0) return void catchUp(needy);
      }
      queue.shift();
      hand(message, joined);
    }
  }

  function isOutOfReach(seat: Seat, message: NodeMessage): boolean {
    const relation = relate(seat.position, message);
    return relation === "ahead" || relation === "other_epoch";
  }

  function hand(message: NodeMessage, joined: readonly Seat[]): void {
    const frame = frameOf(message);
    const holders: Seat[] = [];
    let written = 0;
    for (const seat of joined) {
      const relation = relate(seat.position, message);
      const wrote = relation === "next" && seat.isTaking() && seat.write(frame);
      if (wrote) written += 1;
      if (wrote || relation === "seen") holders.push(seat);
    }
    if (written > 0) onSent(written);
    if (latest.epoch !== message.epoch || latest.id < message.replayId) {
      latest = { epoch: message.epoch, id: message.replayId };
    }
    if (holders.length === 0) {
      answer(message, joined.length > 0 ? "slow" : "no_socket", 0);
      return;
    }
    const awaitsAck = message.wantsAck && holders.every((seat) => seat.acknowledges);
    answer(message, resultOf(message, awaitsAck), holders.length);
    if (holders.some((seat) => seat.acknowledges)) {
      record.add(message, awaitsAck ? message : undefined);
    }
  }

  function resultOf(message: NodeMessage, awaitsAck: boolean): AnswerResult {
    if (!awaitsAck) return "written";
    // A replay can have shown it, and the client acknowledged it, before it came by this way.
    return record.isConfirmed(message.epoch, message.replayId) ? "acked" : "awaiting_ack";
  }

  async function catchUp(lacking: readonly Seat[]): Promise<void> {
    reading = true;
    for (const seat of lacking) behind.delete(seat);
    const views = new Map<string, Promise<HistoryView>>();
    try {
      for (const seat of lacking) {
        const { epoch, id } = seat.position;
        const key = `${id} ${epoch ?? ""}`;
        const view = views.get(key) ?? history.since(userId, seat.position);
        views.set(key, view);
        fill(seat, { epoch, id }, await view);
      }
    } catch (error) {
      // The sockets stay behind; the next message or repair tries again.
      log.warn({ err: error }, "a history could not be read for open sockets");
    } finally {
      reading = false;
    }
    drain();
  }

  function fill(seat: Seat, asked: Position, view: HistoryView): void {
    const moved = seat.position.epoch !== asked.epoch || seat.position.id !== asked.id;
    if (moved || !seats.has(seat) || !seat.isTaking()) return;
    if (view.epoch === null || !isBehind(asked, { epoch: view.epoch, id: view.last })) return;
    const reason = gapAtCatchUp(asked, view);
    seat.replay({
      gap: reason === undefined ? undefined : gapFrame(reason, view),
      frames: view.entries.map(frameOf),
      end: { epoch: view.epoch, id: view.last },
    });
  }

  return {
    userId,
    record,
    seats,

    add(seat) {
      seats.add(seat);
    },

    remove(seat) {
      seats.delete(seat);
      behind.delete(seat);
      drain();
    },

    deliver(message) {
      if (queue.length >= MAX_WAITING_MESSAGES) {
        answer(message, "slow", 0);
        if (latest.epoch !== message.epoch || latest.id < message.replayId) {
          latest = { epoch: message.epoch, id: message.replayId };
        }
        return;
      }
      queue.push(message);
      drain();
    },

    owesAnswer: (noteId) => queue.some((message) => message.noteId === noteId),

    ready(seat) {
      if (latest.epoch !== null && isBehind(seat.position, latest)) behind.add(seat);
      drain();
    },

    repair(now) {
      for (const seat of seats) {
        if (seat.isTaking() && isBehind(seat.position, now)) behind.add(seat);
      }
      drain();
    },
  };
}
