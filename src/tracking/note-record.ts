/** How a note is kept in Redis: one text, of which the end is what changes. */
import { z } from "zod";
import { LEDGER_FORMATS, formatMark, readFormatMark } from "../contract/versions.ts";
import {
  CHANNELS,
  FAMILIES,
  LANES,
  PRIORITIES,
  STATUSES,
  STRATEGIES,
} from "../contract/vocabulary.ts";
import {
  formatChannelRecord,
  parseChannelRecord,
  pushOutcomesSchema,
  storedRequestSchema,
  type Note,
  type StoredRequest,
} from "./note.ts";

const NONE = "-";

/**
 * A note is one string, as keys and fields cost Redis more than the bytes in them:
 *   facts      what never changes: a line `user lane day caller template type accepted_at`, and a
 *              line of JSON of what only this process reads
 *   request    a line, sealed; empty once the note has settled without having failed
 *   state      what changes: its form (`formatMark`) and a line of words (`STATE_FIELDS`), the timeline
 *              up to an empty line, and a line of JSON of what became of push subscriptions
 * The state comes last, so that it is written over in place however long it becomes. A shorter one
 * leaves the end of the former behind, which nobody reads.
 * In each form to come, the mark stands behind the third line: where a script looks for it.
 */
interface NoteRecord {
  /** Two lines, without the last line break. */
  readonly facts: string;
  readonly request: string;
  /** Where the state begins, in bytes. */
  readonly stateAt: number;
  /** The words, without the mark. */
  readonly words: string;
  readonly timeline: string;
  readonly pushOutcomes: string;
}

/** Begins a state: where there is none, no script takes another text for one. */
const STATE_MARK = formatMark(LEDGER_FORMATS.oldest);

/**
 * Blanks after a first state, which the next one fits in: Redis makes a string twice as large as it
 * must when one is written beyond its end.
 */
const ROOM = " ".repeat(152);

/** The words of the state's line, in their order. `record.lua` has the same list. */
const STATE_FIELDS = [
  "version",
  "fence",
  "status",
  "stage",
  "attempt",
  "leased_until",
  "stage_started_at",
  "sockets",
  "replay_id",
  "epoch",
  "websocket",
  "push",
  "sms",
  "reply_to",
] as const;
const count = z.coerce.number().int();

const stateSchema = z.object({
  version: count,
  fence: count,
  status: z.enum(STATUSES),
  /** The channel being tried; a dash once settled. */
  stage: z.enum([...CHANNELS, "-"]),
  attempt: count,
  leased_until: count,
  stage_started_at: count,
  sockets: count,
  replay_id: z.string(),
  epoch: z.string(),
  websocket: z.string(),
  push: z.string(),
  sms: z.string(),
  /** The process in which somebody waits for the note to settle. */
  reply_to: z.string(),
});

const FACT_WORDS = 7;
const factsSchema = z.object({
  user: z.string(),
  lane: z.enum(LANES),
  day: z.string(),
  caller: z.string(),
  template: z.string(),
  type: z.string(),
  accepted_at: count,
  priority: z.enum(PRIORITIES),
  family: z.enum(FAMILIES),
  strategy: z.enum(STRATEGIES),
  correlation: z.string().optional(),
  event: z.string().optional(),
  expires_at: z.number().int().optional(),
  send_at: z.number().int().optional(),
  waited: z.boolean().optional(),
});
type Facts = z.infer<typeof factsSchema>;

/**
 * Null for one that was sealed with another key: the note then fails alone, when it is to be put
 * into words, instead of holding up everything that shares its envelope.
 */
function readRequest(sealed: string, open: (sealed: string) => string): StoredRequest | null {
  try {
    return storedRequestSchema.parse(JSON.parse(open(sealed)));
  } catch {
    return null;
  }
}

/** A record's facts. The first line's words hold no spaces: user ids, slugs, a date. */
export function formatFacts(facts: Facts): string {
  const { user, lane, day, caller, template, type, accepted_at, ...rest } = facts;
  return `${user} ${lane} ${day} ${caller} ${template} ${type} ${accepted_at}\n${JSON.stringify(rest)}`;
}

/** @throws ZodError or SyntaxError if the ledger did not write it. */
export function parseFacts(text: string): Facts {
  const end = text.indexOf("\n");
  const words = text.slice(0, end).split(" ");
  if (end < 0 || words.length !== FACT_WORDS) throw new Error("the facts of a note are malformed");
  const [user, lane, day, caller, template, type, accepted_at] = words;
  const rest: unknown = JSON.parse(text.slice(end + 1));
  if (typeof rest !== "object") throw new Error("the facts of a note are malformed");
  return factsSchema.parse({ ...rest, user, lane, day, caller, template, type, accepted_at });
}

/**
 * A record's state.
 * @param mark of the form that it is written in
 * @param place stands for a place in the history that is not known yet
 */
export function formatState(note: Note, mark = STATE_MARK, place = placeOf(note)): string {
  const { websocket, push, sms } = note.channels;
  const progress = `${note.version} ${note.fence} ${note.status} ${note.stage ?? NONE} ${note.attempt}`;
  const times = `${note.leasedUntil} ${note.stageStartedAt} ${note.sockets}`;
  const records = `${formatChannelRecord(websocket)} ${formatChannelRecord(push)} ${formatChannelRecord(sms)}`;
  const outcomes = formatPushOutcomes(note.pushOutcomes);
  return `${mark}${progress} ${times} ${place} ${records} ${note.replyTo ?? NONE}\n${note.timeline}\n${outcomes}\n`;
}

function formatPushOutcomes(outcomes: Note["pushOutcomes"]): string {
  for (const _ in outcomes) return JSON.stringify(outcomes);
  return "";
}

/** @param request sealed, or empty */
export function formatRecord(facts: string, request: string, state: string): string {
  return `${facts}\n${request}\n${state}`;
}

/** A record that has only just begun to change. */
export function formatFirstRecord(facts: string, request: string, state: string): string {
  return formatRecord(facts, request, state) + ROOM;
}

/** Where the state of a record begins, in bytes. */
export function stateOffset(facts: string, request: string): number {
  return Buffer.byteLength(facts) + Buffer.byteLength(request) + 2;
}

/**
 * Undefined if a newer version wrote it, in a form that this one cannot read.
 * @throws Error if the ledger did not write it.
 */
export function splitRecord(
  text: string,
  newest: number = LEDGER_FORMATS.newest,
): NoteRecord | undefined {
  const words = text.indexOf("\n");
  const facts = text.indexOf("\n", words + 1);
  const request = text.indexOf("\n", facts + 1);
  const mark = request < 0 ? undefined : readFormatMark(text, request + 1);
  if (mark !== undefined && mark.format > newest) return undefined;
  const line = text.indexOf("\n", request + 1);
  const timeline = text.indexOf("\n\n", line);
  const outcomes = text.indexOf("\n", timeline + 2);
  const ends = [words, facts, request, line, timeline, outcomes];
  if (ends.includes(-1) || mark === undefined) {
    throw new Error("the record of a note is malformed");
  }
  return {
    facts: text.slice(0, facts),
    request: text.slice(facts + 1, request),
    stateAt: Buffer.byteLength(text.slice(0, request + 1)),
    words: text.slice(mark.end, line),
    timeline: text.slice(line + 1, timeline + 1),
    pushOutcomes: text.slice(timeline + 2, outcomes),
  };
}

function placeOf({ replayId, epoch }: Note): string {
  return `${replayId ?? NONE} ${epoch ?? NONE}`;
}

/** The words of a note's state. */
export type NoteState = z.infer<typeof stateSchema>;

/** @throws ZodError if the ledger did not write it. */
export function parseState(text: string): NoteState {
  const words = text.split(" ");
  return stateSchema.parse(
    Object.fromEntries(STATE_FIELDS.map((field, index) => [field, words[index]])),
  );
}

/** The words of a text as `formatState` writes it. */
export function wordsOf(state: string): string {
  return state.slice(state.indexOf("=") + 1, state.indexOf("\n"));
}

const orNull = (word: string): string | null => (word === NONE ? null : word);

/**
 * Reads a note from its record; undefined if a newer version wrote it, in a form that this one cannot
 * read.
 * @throws ZodError or Error if the record is not one that the ledger wrote.
 */
export function parseNote(
  id: string,
  text: string,
  open: (sealed: string) => string,
  newest: number = LEDGER_FORMATS.newest,
): Note | undefined {
  const record = splitRecord(text, newest);
  if (record === undefined) return undefined;
  const state = parseState(record.words);
  const facts = parseFacts(record.facts);
  return {
    id,
    facts: record.facts,
    stateAt: record.stateAt,
    userId: facts.user,
    status: state.status,
    stage: state.stage === NONE ? null : state.stage,
    lane: facts.lane,
    attempt: state.attempt,
    version: state.version,
    fence: state.fence,
    acceptedAt: facts.accepted_at,
    day: facts.day,
    priority: facts.priority,
    templateId: facts.template,
    notificationType: facts.type,
    family: facts.family,
    strategy: facts.strategy,
    callerId: facts.caller,
    correlationId: facts.correlation ?? id,
    eventId: facts.event ?? null,
    channels: {
      websocket: parseChannelRecord(state.websocket),
      push: parseChannelRecord(state.push),
      sms: parseChannelRecord(state.sms),
    },
    timeline: record.timeline,
    replayId: orNull(state.replay_id),
    epoch: orNull(state.epoch),
    sockets: state.sockets,
    leasedUntil: state.leased_until,
    stageStartedAt: state.stage_started_at,
    expiresAt: facts.expires_at ?? null,
    sendAt: facts.send_at ?? null,
    waited: facts.waited ?? false,
    replyTo: orNull(state.reply_to),
    pushOutcomes:
      record.pushOutcomes === "" ? {} : pushOutcomesSchema.parse(JSON.parse(record.pushOutcomes)),
    request: record.request === "" ? null : readRequest(record.request, open),
  };
}
