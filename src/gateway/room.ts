/**
 * One user's sockets on this node: hands them every message once, in order, without holes. Most rooms
 * stand idle with one socket, so what only busy ones need is made when it is first needed.
 */
import type { AnswerResult, NodeMessage } from "../contract/node-message.ts";
import type { Logger } from "../platform/logger.ts";
import type { HistoryView, Position } from "../tracking/history.ts";
import type { Answers } from "./answers.ts";
import type { Replay } from "./connection.ts";
import type { Frame, FrameOf } from "./frame.ts";
import { gapAtCatchUp, gapFrame, isBehind, relate } from "./replay-plan.ts";
import { SentRecord } from "./sent-record.ts";

/** What a room needs of a socket. */
export interface Seat {
  readonly position: Position;
  readonly acknowledges: boolean;
  /** On its way in; one that is closing is not. */
  isJoining(): boolean;
  isJoined(): boolean;
  isTaking(): boolean;
  write(frame: Frame): boolean;
  replay(replay: Replay): void;
}

/** Messages that may wait while a history is read; what is beyond is read from the history too. */
const MAX_WAITING_MESSAGES = 1_000;

export interface RoomDeps {
  readonly history: { since(userId: string, position: Position): Promise<HistoryView> };
  readonly answers: Pick<Answers, "add">;
  readonly frameOf: FrameOf;
  /** Hears how many sockets a live message was written to, once per message. */
  readonly onSent: (frames: number) => void;
  readonly log: Logger;
}

const NOWHERE: Position = { epoch: null, id: 0 };

export class Room<S extends Seat = Seat> {
  readonly userId: string;
  /** When this user was last compared with Redis, as upkeep notes it; epoch ms. */
  checkedAt = 0;
  private readonly deps: RoomDeps;
  private readonly members: S[] = [];
  private waiting: NodeMessage[] = [];
  /** Sockets that lack messages which were handed out meanwhile. */
  private behind: Set<S> | undefined = undefined;
  private reading = false;
  /** The last message that came, and where the history stood when it was last looked at: either may be old. */
  private latest: Position = NOWHERE;
  private stood: Position = NOWHERE;
  /** The history was read for this message; if it is still out of reach, no second reading helps. */
  private tried: NodeMessage | undefined = undefined;
  private sent: SentRecord | undefined = undefined;

  constructor(userId: string, deps: RoomDeps) {
    this.userId = userId;
    this.deps = deps;
  }

  get seats(): readonly S[] {
    return this.members;
  }

  /** What the acknowledging ones among them were sent. */
  get record(): SentRecord {
    return (this.sent ??= new SentRecord());
  }

  add(seat: S): void {
    this.members.push(seat);
  }

  /** False: it was not here. */
  remove(seat: S): boolean {
    const index = this.members.indexOf(seat);
    if (index < 0) return false;
    this.members.splice(index, 1);
    this.behind?.delete(seat);
    this.drain();
    return true;
  }

  /** A message for this user. It is answered exactly once. */
  deliver(message: NodeMessage): void {
    if (this.waiting.length >= MAX_WAITING_MESSAGES) {
      this.answer(message, "slow", 0);
      this.noteLatest(message);
      return;
    }
    this.waiting.push(message);
    this.drain();
  }

  /** Whether a worker is still to be answered for this message. */
  owesAnswer(noteId: string): boolean {
    return this.waiting.some((message) => message.noteId === noteId);
  }

  /** A socket has joined, or takes frames again after it was slow. */
  ready(seat: S): void {
    const { position } = seat;
    if (isBehind(position, this.latest) || isBehind(position, this.stood)) this.fellBehind(seat);
    this.drain();
  }

  /** Brings sockets up to where the history stands: those that cannot take it now, when they are ready. */
  repair(now: Position): void {
    this.stood = now;
    for (const seat of this.members) {
      if (isBehind(seat.position, now) && seat.isTaking()) this.fellBehind(seat);
    }
    this.drain();
  }

  private fellBehind(seat: S): void {
    this.behind ??= new Set();
    this.behind.add(seat);
  }

  private drain(): void {
    while (!this.reading) {
      const lacking = this.lacking();
      if (lacking.length > 0) return void this.catchUp(lacking);
      const message = this.waiting[0];
      if (message === undefined) return;
      // The only sockets are joining: the message waits until one of them can say what it needs.
      if (this.members.some(isJoining) && !this.members.some(isJoined)) return;
      if (this.tried !== message) {
        const needy = this.needy(message);
        if (needy.length > 0) {
          this.tried = message;
          return void this.catchUp(needy);
        }
      }
      this.tried = undefined;
      this.waiting.shift();
      this.hand(message);
    }
  }

  /** Those behind that can take what they lack. */
  private lacking(): readonly S[] {
    if (this.behind === undefined || this.behind.size === 0) return NOBODY;
    return [...this.behind].filter((seat) => seat.isTaking());
  }

  /** Those that have to be brought up to this message first. */
  private needy(message: NodeMessage): readonly S[] {
    let needy: S[] | undefined;
    for (const seat of this.members) {
      const relation = relate(seat.position, message);
      if (relation !== "ahead" && relation !== "other_epoch") continue;
      if (seat.isTaking()) (needy ??= []).push(seat);
    }
    return needy ?? NOBODY;
  }

  private hand(message: NodeMessage): void {
    const frame = this.deps.frameOf(message);
    let joined = 0;
    let holders = 0;
    let acknowledging = 0;
    let written = 0;
    for (const seat of this.members) {
      if (!seat.isJoined()) continue;
      joined += 1;
      const relation = relate(seat.position, message);
      const wrote = relation === "next" && seat.isTaking() && seat.write(frame);
      if (wrote) written += 1;
      if (!wrote && relation !== "seen") continue;
      holders += 1;
      if (seat.acknowledges) acknowledging += 1;
    }
    if (written > 0) this.deps.onSent(written);
    this.noteLatest(message);
    if (holders === 0) {
      this.answer(message, joined > 0 ? "slow" : "no_socket", 0);
      return;
    }
    const expectsAck = acknowledging === holders;
    this.answer(message, expectsAck ? this.resultOf(message) : "written", holders);
    if (acknowledging > 0) this.record.add(message, expectsAck ? message : undefined);
  }

  /** For a message whose sockets all acknowledge. */
  private resultOf({ epoch, replayId, wantsAck }: NodeMessage): AnswerResult {
    // A replay can have shown it, and the client acknowledged it, before it came by this way.
    const isConfirmed = this.sent?.isConfirmed(epoch, replayId) === true;
    if (wantsAck) return isConfirmed ? "acked" : "awaiting_ack";
    return isConfirmed ? "written" : "ack_expected";
  }

  private answer(message: NodeMessage, result: AnswerResult, sockets: number): void {
    const { noteId, fence, workerId } = message;
    this.deps.answers.add(workerId, { noteId, fence, result, sockets });
  }

  private noteLatest({ epoch, replayId }: NodeMessage): void {
    const { latest } = this;
    if (latest.epoch !== epoch) this.latest = { epoch, id: replayId };
    else if (latest.id < replayId) this.latest = { epoch: latest.epoch, id: replayId };
  }

  private async catchUp(lacking: readonly S[]): Promise<void> {
    const { history, log } = this.deps;
    this.reading = true;
    for (const seat of lacking) this.behind?.delete(seat);
    const views = new Map<string, Promise<HistoryView>>();
    try {
      for (const seat of lacking) {
        const { epoch, id } = seat.position;
        const key = `${id} ${epoch ?? ""}`;
        const view = views.get(key) ?? history.since(this.userId, seat.position);
        views.set(key, view);
        this.fill(seat, { epoch, id }, await view);
      }
    } catch (error) {
      // The sockets stay behind; the next message or repair tries again.
      log.warn({ err: error }, "a history could not be read for open sockets");
    } finally {
      this.reading = false;
    }
    this.drain();
  }

  private fill(seat: S, asked: Position, view: HistoryView): void {
    const moved = seat.position.epoch !== asked.epoch || seat.position.id !== asked.id;
    if (moved || !this.members.includes(seat) || !seat.isTaking()) return;
    if (view.epoch === null || !isBehind(asked, { epoch: view.epoch, id: view.last })) return;
    const reason = gapAtCatchUp(asked, view);
    seat.replay({
      gap: reason === undefined ? undefined : gapFrame(reason, view),
      frames: view.entries.map(this.deps.frameOf),
      end: { epoch: view.epoch, id: view.last },
    });
  }
}

const NOBODY: readonly never[] = [];

const isJoined = (seat: Seat): boolean => seat.isJoined();
const isJoining = (seat: Seat): boolean => seat.isJoining();
