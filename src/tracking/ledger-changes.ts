/** What is written to the ledger: new notes, changes, frames; ledger-wire.ts is how they get there. */
import type { Channel, Status } from "../contract/vocabulary.ts";
import {
  formatTimelineEntry,
  type ChannelRecord,
  type Note,
  type PushOutcomes,
  type StoredRequest,
  type TimelineEntry,
} from "./note.ts";

/** A notification to be created. */
export interface NewNote {
  readonly id: string;
  readonly userId: string;
  readonly status: "queued" | "scheduled";
  readonly stage: Channel;
  readonly lane: Note["lane"];
  readonly acceptedAt: number;
  readonly priority: Note["priority"];
  readonly templateId: string;
  readonly notificationType: string;
  readonly family: Note["family"];
  readonly strategy: Note["strategy"];
  readonly callerId: string;
  readonly correlationId: string;
  readonly eventId: string | null;
  readonly replyTo: string | null;
  readonly channels: Readonly<Record<Channel, ChannelRecord>>;
  readonly expiresAt: number | null;
  readonly sendAt: number | null;
  readonly request: StoredRequest;
  /** Epoch ms at which the due index brings it up if nothing else does. */
  readonly dueAt: number;
  /** Its key or event was claimed before: there may be one already. */
  readonly again?: boolean;
  /** Absent where it says nothing about whether somebody is to be warned of a deadline. */
  readonly matter?: Matter;
}

/**
 * What a notification says about a matter with a deadline. In the step that creates it, the warning
 * that was scheduled for the matter before is cancelled, and its own is created. One that is there
 * already, or that comes later than what was said after it, changes nothing.
 */
export interface Matter {
  /** Names the matter within the user's shard. */
  readonly key: string;
  /** Epoch ms: when this was said. */
  readonly saidAt: number;
  /** Scheduled before the deadline; absent where there is nothing to warn of, or no more. */
  readonly warning?: NewNote;
}

/** One decision about one note. It is applied only while the note's fence is what it was. */
export interface NoteChange {
  readonly note: Note;
  /** Epoch ms. The note's version and fence tell by it which change made them: see `successorOf`. */
  readonly decidedAt: number;
  /** The note is not the one that it was decided on: that one had been written to since. */
  readonly isRebased?: boolean;
  readonly status?: Status;
  readonly stage?: Channel;
  readonly attempt?: number;
  /** Only those that this change alters: a receipt may write the others meanwhile. */
  readonly channels?: Readonly<Partial<Record<Channel, ChannelRecord>>>;
  readonly sockets?: number | undefined;
  readonly leasedUntil?: number;
  readonly stageStartedAt?: number;
  readonly pushOutcomes?: PushOutcomes | undefined;
  /** Counter fields and by how much. */
  readonly counts: Readonly<Record<string, number>>;
  /** How long it took, if the note turns out to be delivered when it settles: counters, and ms. */
  readonly latency?: {
    readonly counts: Readonly<Record<string, number>>;
    readonly sumMs: number;
  };
  /** Epoch ms of the next attention; absent when the note settles. */
  readonly dueAt?: number;
  /** The due entry may stay as it is, which brings the note up within a lease: one write less. */
  readonly keepsDue?: boolean;
  readonly timeline: readonly TimelineEntry[];
}

/** A frame to be published, and what becomes of its note. */
export interface Publication {
  /** JSON of a `NotificationBody`. */
  readonly body: string;
  readonly wantsAck: boolean;
  readonly sent: NoteChange;
  /** The note once it is sent, which others need too; its place in the history is not known yet. */
  readonly after: Note;
}

const DAY_MS = 86_400_000;
/** The day that was asked of last: nearly always today. */
let lastDay = { number: Number.NaN, text: "" };

/** `2026-11-21`, in UTC. */
export function dayOf(epochMs: number): string {
  const number = Math.floor(epochMs / DAY_MS);
  if (lastDay.number !== number) {
    lastDay = { number, text: new Date(epochMs).toISOString().slice(0, 10) };
  }
  return lastDay.text;
}

/** What a timeline begins with. */
export function firstTimeline({ acceptedAt, status }: NewNote): string {
  return `${acceptedAt} - - ${status} -\n`;
}

const NO_OUTCOMES: PushOutcomes = {};

/**
 * The note as it is right after it was created. Field by field: of a spread with so much added, V8
 * makes an object of twice the size, and thousands of these wait at a time.
 * @param written how Redis keeps it: needed to change it, not to show it
 */
export function asCreated(
  note: NewNote,
  written: Pick<Note, "facts" | "stateAt"> = { facts: "", stateAt: 0 },
): Note {
  return {
    id: note.id,
    userId: note.userId,
    status: note.status,
    stage: note.stage,
    lane: note.lane,
    attempt: 0,
    version: 0,
    fence: 0,
    acceptedAt: note.acceptedAt,
    day: dayOf(note.acceptedAt),
    priority: note.priority,
    templateId: note.templateId,
    notificationType: note.notificationType,
    family: note.family,
    strategy: note.strategy,
    callerId: note.callerId,
    correlationId: note.correlationId,
    eventId: note.eventId,
    channels: note.channels,
    timeline: firstTimeline(note),
    replayId: null,
    epoch: null,
    sockets: 0,
    leasedUntil: 0,
    stageStartedAt: note.acceptedAt,
    expiresAt: note.expiresAt,
    sendAt: note.sendAt,
    waited: note.replyTo !== null,
    replyTo: note.replyTo,
    facts: written.facts,
    stateAt: written.stateAt,
    pushOutcomes: NO_OUTCOMES,
    request: note.request,
  };
}

/**
 * The version or fence behind this one. It grows with each change, and no other change makes the same
 * one: a Redis that comes back with older data takes notes back, and a decision from before must not
 * fit what became of them since, as it would if changes were only counted.
 * @param at epoch ms
 */
const successorOf = (before: number, at: number): number => Math.max(before + 1, at);

/**
 * Whoever made a decision reckons with the version after it on the note that they know. Where another
 * note was changed instead, that must not fit: what was written in between would be overwritten.
 */
const versionAfter = ({ note, decidedAt, isRebased = false }: NoteChange): number =>
  successorOf(note.version, isRebased ? decidedAt + 1 : decidedAt);

/** The note as it is once a change was applied: what the next decision is made on. */
export function afterChange(change: NoteChange): Note {
  const { note } = change;
  const settles = change.dueAt === undefined;
  let { timeline } = note;
  for (const entry of change.timeline) timeline += formatTimelineEntry(entry);
  return {
    ...note,
    version: versionAfter(change),
    fence: successorOf(note.fence, change.decidedAt),
    status: change.status ?? note.status,
    stage: settles ? null : (change.stage ?? note.stage),
    attempt: change.attempt ?? note.attempt,
    channels:
      change.channels === undefined ? note.channels : { ...note.channels, ...change.channels },
    sockets: change.sockets ?? note.sockets,
    leasedUntil: change.leasedUntil ?? note.leasedUntil,
    stageStartedAt: change.stageStartedAt ?? note.stageStartedAt,
    pushOutcomes: change.pushOutcomes ?? note.pushOutcomes,
    timeline,
  };
}
