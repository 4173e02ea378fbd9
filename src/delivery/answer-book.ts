/**
 * Who still owes an answer: frames that were sent to gateways and are not settled. No job waits for
 * an answer; this book collects them and says what became of each frame.
 */
import type { NodeAnswer } from "../contract/node-message.ts";
import type { Clock } from "../platform/clock.ts";
import type { Note } from "../tracking/note.ts";

export type FrameFate =
  /** Written to this many sockets; `confirmedAt` if the client has acknowledged it already. */
  | {
      readonly kind: "delivered";
      readonly sockets: number;
      readonly at: number;
      readonly confirmedAt: number | undefined;
    }
  /** No socket took it, or no node answered in time. */
  | { readonly kind: "offline" }
  /** Written, but the client that promised to acknowledge did not. */
  | { readonly kind: "unconfirmed"; readonly sockets: number };

export interface AnswerBook {
  /** Opens an entry, before the frame is sent: an answer may overtake the reply of the script. */
  expect(note: Note): void;
  /**
   * What the script said: how many gateway nodes were sent the frame. 0: nobody is online, and
   * there is nothing to wait for. -1: the note had moved on. That closes the entry only if no other
   * envelope with the same note, published at the same time, is waiting for its answer here.
   */
  sent(noteId: string, nodes: number, place: { replayId: string; epoch: string }): void;
  record(answers: readonly NodeAnswer[]): void;
  /** Frames that wait for an answer. */
  readonly size: number;
  close(): void;
}

export interface AnswerBookOptions {
  readonly clock: Clock;
  readonly answerMs: number;
  readonly ackMs: number;
  /** Acknowledged after its frame was settled, or unknown here. */
  readonly onLateAck: (noteId: string) => void;
  /** Called with everything that was decided in one turn of the event loop. */
  readonly onFates: (fates: readonly { readonly note: Note; readonly fate: FrameFate }[]) => void;
}

/** Beyond this the due index settles what is missed: memory stays bounded when gateways are silent. */
const MAX_OPEN = 100_000;
/** How often open entries are looked at for silence. */
const SWEEP_MS = 100;
/**
 * A frame on sockets that acknowledge settles together with its ack if that comes within so long:
 * one step in the ledger instead of two. Where somebody waits for the outcome, it settles at once.
 */
const ACK_TOGETHER_MS = 250;
/**
 * Of a note that was sent as far as is known here, at a place that nobody told: Redis ran the script,
 * and its reply was lost or came too late. The ledger looks again before it changes such a note.
 */
const UNKNOWN_VERSION = -1;

interface Open {
  /** As it stands after sending: a change made on it carries the fence of the frame. */
  note: Note;
  /** Envelopes with this note that are being published; all but one will be told -1. */
  publishing: number;
  /** Unknown until the script has replied. */
  nodes: number | undefined;
  answers: number;
  sockets: number;
  /** When the first node wrote it; epoch ms. */
  writtenAt: number | undefined;
  /** An ack is likely, and nothing depends on it. */
  ackExpected: boolean;
  confirmedAt: number | undefined;
  awaitingAck: boolean;
  /** When silence is taken for an answer, without and with an acknowledgement to come. */
  readonly answerBy: number;
  until: number;
}

export function createAnswerBook(options: AnswerBookOptions): AnswerBook {
  const { clock } = options;
  const open = new Map<string, Open>();
  let decided: { note: Note; fate: FrameFate }[] = [];
  let announcing = false;

  function decide(entry: Open, fate: FrameFate): void {
    open.delete(entry.note.id);
    const { note } = entry;
    const isPlaced = entry.nodes !== undefined;
    decided.push({ note: isPlaced ? note : { ...note, version: UNKNOWN_VERSION }, fate });
    if (announcing) return;
    announcing = true;
    setImmediate(() => {
      announcing = false;
      const fates = decided;
      decided = [];
      options.onFates(fates);
    });
  }

  function delivered(entry: Open, at: number): FrameFate {
    const { sockets, confirmedAt } = entry;
    return { kind: "delivered", sockets, at, confirmedAt };
  }

  /** Once every node has answered: all sockets are counted, and the best answer holds. */
  function conclude(entry: Open): void {
    if (entry.nodes === undefined || entry.answers < entry.nodes) return;
    const { writtenAt } = entry;
    if (writtenAt === undefined) {
      if (!entry.awaitingAck) decide(entry, { kind: "offline" });
      return;
    }
    const worthWaiting = entry.ackExpected && !entry.note.waited;
    if (entry.confirmedAt !== undefined || !worthWaiting)
      decide(entry, delivered(entry, writtenAt));
    else entry.until = Math.min(entry.until, writtenAt + ACK_TOGETHER_MS);
  }

  function take(answer: NodeAnswer, now: number): void {
    const entry = open.get(answer.noteId);
    if (entry === undefined || entry.note.fence !== answer.fence) {
      if (answer.result === "acked") options.onLateAck(answer.noteId);
      return;
    }
    switch (answer.result) {
      case "acked":
        // As good as written; what other nodes still have to say only adds sockets.
        entry.writtenAt ??= now;
        entry.confirmedAt ??= now;
        entry.until = entry.answerBy;
        conclude(entry);
        return;
      case "awaiting_ack":
        entry.awaitingAck = true;
        entry.until = Math.max(entry.until, now + options.ackMs);
        break;
      case "ack_expected":
        entry.ackExpected = true;
        entry.writtenAt ??= now;
        break;
      case "written":
        entry.writtenAt ??= now;
        break;
      case "no_socket":
      case "slow":
        break;
    }
    entry.answers += 1;
    entry.sockets += answer.sockets;
    conclude(entry);
  }

  /** Silence is an answer: what is known by now decides. */
  function lapse(entry: Open): void {
    const { writtenAt } = entry;
    if (writtenAt !== undefined) decide(entry, delivered(entry, writtenAt));
    else if (entry.awaitingAck) decide(entry, { kind: "unconfirmed", sockets: entry.sockets });
    else decide(entry, { kind: "offline" });
  }

  const cancelSweep = clock.every(SWEEP_MS, () => {
    const now = clock.now();
    for (const entry of open.values()) if (entry.until <= now) lapse(entry);
  });

  return {
    expect(note) {
      const before = open.get(note.id);
      if (before !== undefined && before.note.fence >= note.fence) {
        before.publishing += 1;
        return;
      }
      if (open.size >= MAX_OPEN) return;
      const answerBy = clock.now() + options.answerMs;
      open.set(note.id, {
        note,
        publishing: 1,
        nodes: undefined,
        answers: 0,
        sockets: 0,
        writtenAt: undefined,
        ackExpected: false,
        confirmedAt: undefined,
        awaitingAck: false,
        answerBy,
        until: answerBy,
      });
    },
    sent(noteId, nodes, { replayId, epoch }) {
      const entry = open.get(noteId);
      if (entry === undefined) return;
      entry.publishing -= 1;
      if (nodes < 0) {
        if (entry.publishing <= 0 && entry.nodes === undefined) open.delete(noteId);
        return;
      }
      if (nodes === 0) {
        open.delete(noteId);
        return;
      }
      entry.note = { ...entry.note, replayId, epoch };
      entry.nodes = nodes;
      conclude(entry);
    },
    record(answers) {
      const now = clock.now();
      for (const answer of answers) take(answer, now);
    },
    get size() {
      return open.size;
    },
    close: cancelSweep,
  };
}
