/**
 * The form in which notes, changes and frames go to the ledger's scripts. All that can be written out
 * beforehand is: the scripts compare and put in place, and take nothing apart.
 */
import { CHANNELS } from "../contract/vocabulary.ts";
import { nodeMessageHeader } from "../contract/node-message.ts";
import type { Sealing } from "../platform/sealing.ts";
import { formatAuditLine } from "./audit.ts";
import {
  afterChange,
  asCreated,
  dayOf,
  type Matter,
  type NewNote,
  type NoteChange,
  type Publication,
} from "./ledger-changes.ts";
import {
  formatFacts,
  formatFirstRecord,
  formatRecord,
  formatState,
  stateOffset,
} from "./note-record.ts";
import type { Note } from "./note.ts";
import { hasReached, isClosed } from "./status-machine.ts";

/** The arguments of a new note: `create` in accept.lua, and `extra`. */
type WireNote = readonly [
  id: string,
  user: string,
  due: number,
  lesser: 0 | 1,
  day: string,
  type: string,
  auditLine: string,
  record: string,
  extra: string,
];

/** A new note as it goes to the ledger, and as it is once it is there. */
export interface WrittenNote {
  readonly wire: WireNote;
  readonly created: Note;
}

/** How new notes are written. */
interface NoteWriting {
  readonly sealing: Sealing;
  /** Of the form that they are written in. */
  readonly mark: string;
}

export function writeNewNote(note: NewNote, writing: NoteWriting): WrittenNote {
  const { sealing, mark } = writing;
  const extra = wireExtra(note, writing);
  const day = dayOf(note.acceptedAt);
  const facts = factsOf(note, day);
  const request = sealing.seal(JSON.stringify(note.request));
  const created = asCreated(note, { facts, stateAt: stateOffset(facts, request) });
  const wire: WireNote = [
    note.id,
    note.userId,
    note.dueAt,
    note.priority === "standard" || note.priority === "low" ? 1 : 0,
    day,
    note.notificationType,
    formatAuditLine(note.acceptedAt, "accepted", null, note, requestedChannels(note)),
    formatFirstRecord(facts, request, formatState(created, mark)),
    extra === undefined ? "" : JSON.stringify(extra),
  ];
  return { wire, created };
}

function factsOf(note: NewNote, day: string): string {
  return formatFacts({
    user: note.userId,
    lane: note.lane,
    day,
    caller: note.callerId,
    template: note.templateId,
    type: note.notificationType,
    accepted_at: note.acceptedAt,
    priority: note.priority,
    family: note.family,
    strategy: note.strategy,
    // The default, which needs no place.
    ...(note.correlationId === note.id ? {} : { correlation: note.correlationId }),
    ...(note.eventId === null ? {} : { event: note.eventId }),
    ...(note.expiresAt === null ? {} : { expires_at: note.expiresAt }),
    ...(note.sendAt === null ? {} : { send_at: note.sendAt }),
    ...(note.replyTo === null ? {} : { waited: true }),
  });
}

function wireExtra({ replyTo, matter, again }: NewNote, writing: NoteWriting): object | undefined {
  if (replyTo === null && matter === undefined && again !== true) return undefined;
  return {
    ...(replyTo === null ? {} : { reply: replyTo }),
    ...(matter === undefined ? {} : { matter: wireMatter(matter, writing) }),
    ...(again === true ? { again } : {}),
  };
}

function wireMatter({ key, saidAt, warning }: Matter, writing: NoteWriting): object {
  if (warning === undefined) return { key, at: saidAt };
  // As text, which is what the arguments of any other note arrive as.
  return { key, at: saidAt, warning: writeNewNote(warning, writing).wire.map(String) };
}

/** `websocket push`: those that were asked for and are possible. */
function requestedChannels(note: NewNote): string {
  return CHANNELS.filter((name) => note.channels[name].state === "pending").join(" ");
}

/** The arguments of a change: `write_change` in change.lua. */
type WireChange = readonly [
  id: string,
  version: number,
  stateAt: number,
  /** The new state; the whole record, without the request, where nobody will send it again. */
  text: string,
  /** Empty if the note settles, `=` if its entry stays as it is. */
  due: number | "" | "=",
  day: string,
  /** `field:amount;field:amount`. */
  counts: string,
  /** `user replay_id seconds`: what met no socket, and for how long it is replayed unasked; 0: no more. */
  pending: string,
  /** What it settles as. */
  status: string,
  auditLine: string,
  latencyMs: number | "",
  /** What other services are told of it: outcome kinds, a comma between them. */
  told: string,
  replyTo: string,
];

export interface WireContext {
  readonly now: number;
  /** How long a message that met no socket is replayed unasked. */
  readonly pendingSeconds: number;
  /** Of the form that states are written in. */
  readonly mark: string;
}

/** How a note that a change has been made to is written. */
interface Outlook {
  /** Stands for a place in the history that is not known yet. */
  readonly place?: string;
  /** The note after the change, where that is known already. */
  readonly after?: Note;
  /** Counters beside those of the change. */
  readonly counts?: string;
}

export function wireChange(
  change: NoteChange,
  context: WireContext,
  outlook: Outlook = {},
): WireChange {
  const { note, dueAt } = change;
  const merged = outlook.after ?? afterChange(change);
  const settles = dueAt === undefined;
  // A receipt may have arrived since the decision was made, and whoever was reached, was reached.
  const reached = settles && hasReachedAny(merged);
  const after = reached && merged.status !== "delivered" ? asDelivered(merged) : merged;
  const latency = reached ? change.latency : undefined;
  let counts = wireCounts(change.counts, outlook.counts ?? "");
  if (settles) counts = wireCounts({ [`status.${after.status}`]: 1 }, counts);
  if (latency !== undefined) counts = wireCounts(latency.counts, counts);
  const state = formatState(after, context.mark, outlook.place);
  return [
    note.id,
    note.version,
    note.stateAt,
    // Nothing personal is kept longer than needed.
    settles && after.status !== "failed" ? formatRecord(note.facts, "", state) : state,
    change.keepsDue === true ? "=" : (dueAt ?? ""),
    note.day,
    counts,
    pendingOf(change, context),
    settles ? after.status : "",
    settles
      ? formatAuditLine(context.now, "settled", after.status, note, describeChannels(after))
      : "",
    latency?.sumMs ?? "",
    toldOf(change),
    note.replyTo ?? "",
  ];
}

const asDelivered = (note: Note): Note => ({ ...note, status: "delivered" });

function hasReachedAny({ channels }: Note): boolean {
  return hasReached(channels.websocket) || hasReached(channels.push) || hasReached(channels.sms);
}

/** The recipient's side may confirm a message in the step that settles it. */
function toldOf({ channels, dueAt }: NoteChange): string {
  const isConfirmed = CHANNELS.some((name) => channels?.[name]?.state === "confirmed");
  if (dueAt === undefined) return isConfirmed ? "settled,confirmed" : "settled";
  return isConfirmed ? "confirmed" : "";
}

function pendingOf({ note, channels }: NoteChange, context: WireContext): string {
  const websocket = channels?.websocket;
  if (websocket === undefined || note.replayId === null) return "";
  if (!isClosed(websocket.state)) return "";
  if (!hasReached(websocket)) return `${note.userId} ${note.replayId} ${context.pendingSeconds}`;
  // It was written to a socket, but so late that the due index may have marked it as missed.
  const isLate = note.leasedUntil <= context.now && note.channels.websocket.state === "sent";
  return isLate ? `${note.userId} ${note.replayId} 0` : "";
}

/** `websocket=delivered: push=skipped:not_needed`, for the audit trail. */
function describeChannels({ channels }: Note): string {
  return CHANNELS.map((name) => {
    const { state, reason } = channels[name];
    return `${name}=${state}:${reason ?? ""}`;
  }).join(" ");
}

/** Adds counters to a text of them. */
function wireCounts(counts: Readonly<Record<string, number>>, before: string): string {
  let text = before;
  for (const field in counts) {
    text += `${text === "" ? "" : ";"}${field}:${counts[field] ?? 0}`;
  }
  return text;
}

/** Stands in a state for the place that `publish.lua` gives. */
const PLACE = "@ @";

/** The arguments of a frame: `sequence` in publish.lua. Its `state` ends where the place goes. */
type WireFrame = readonly [
  user: string,
  /** What a gateway node is told besides the entry of the history. */
  header: string,
  payload: string,
  /** Of the state, what comes after the place. */
  rest: string,
  ...sent: WireChange,
];

export function wireFrame(
  publication: Publication,
  sealing: Pick<Sealing, "seal">,
  context: WireContext & { readonly workerId: string },
): WireFrame {
  const { sent, after, wantsAck, body } = publication;
  // Notifications are counted, not frames: one that is sent once more had its first before.
  const counts = sent.note.replayId === null ? "websocket.sent:1" : "";
  const outlook = { place: PLACE, after, counts };
  const [id, version, stateAt, state, ...others] = wireChange(sent, context, outlook);
  const at = state.indexOf(PLACE);
  return [
    sent.note.userId,
    nodeMessageHeader({ ...after, workerId: context.workerId, wantsAck }),
    sealing.seal(body),
    state.slice(at + PLACE.length),
    id,
    version,
    stateAt,
    state.slice(0, at),
    ...others,
  ];
}
