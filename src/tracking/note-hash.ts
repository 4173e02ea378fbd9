/** How a note is kept in Redis: a hash of few fields, each written and read whole. */
import { z } from "zod";
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
 * A note is a hash of few fields, as a field costs Redis more than the bytes in it:
 *   facts          what never changes: `user lane day caller template type accepted_at`, and on a
 *                  second line JSON of what only this process reads
 *   state          what changes: one line of words (`STATE_FIELDS`), and after it the timeline
 *   request        sealed; emptied when the note settles without having failed
 *   push_outcomes, reply_to, warning   where there are any
 */
export interface NoteHash {
  readonly facts: string | null;
  readonly state: string | null;
  readonly request: string | null;
  readonly pushOutcomes: string | null;
}

/** The words of the state's line, in their order. `ledger.lua` has the same list. */
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

/** The hash's field `facts`. The first line's words hold no spaces: user ids, slugs, a date. */
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
 * The hash's field `state`: the words of `STATE_FIELDS` in their order, then the timeline.
 * @param place stands for a place in the history that is not known yet
 */
export function formatState(note: Note, place = placeOf(note)): string {
  const { websocket, push, sms } = note.channels;
  const progress = `${note.version} ${note.fence} ${note.status} ${note.stage ?? NONE} ${note.attempt}`;
  const times = `${note.leasedUntil} ${note.stageStartedAt} ${note.sockets}`;
  const records = `${formatChannelRecord(websocket)} ${formatChannelRecord(push)} ${formatChannelRecord(sms)}`;
  return `${progress} ${times} ${place} ${records}\n${note.timeline}`;
}

function placeOf({ replayId, epoch }: Note): string {
  return `${replayId ?? NONE} ${epoch ?? NONE}`;
}

/** The line of a note's state, without its timeline. */
export type NoteState = z.infer<typeof stateSchema>;

/** @throws ZodError if the ledger did not write it. */
export function parseState(line: string): NoteState {
  const words = line.split(" ");
  return stateSchema.parse(
    Object.fromEntries(STATE_FIELDS.map((field, index) => [field, words[index]])),
  );
}

const orNull = (word: string): string | null => (word === NONE ? null : word);

/**
 * Reads a note from its hash.
 * @returns undefined if there is no such note (no fields).
 * @throws ZodError or Error if the hash is not one that the ledger wrote.
 */
export function parseNote(
  id: string,
  hash: NoteHash,
  open: (sealed: string) => string,
): Note | undefined {
  if (hash.state === null || hash.facts === null) return undefined;
  const lineEnd = hash.state.indexOf("\n");
  const state = parseState(hash.state.slice(0, lineEnd));
  const facts = parseFacts(hash.facts);
  return {
    id,
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
    timeline: hash.state.slice(lineEnd + 1),
    replayId: orNull(state.replay_id),
    epoch: orNull(state.epoch),
    sockets: state.sockets,
    leasedUntil: state.leased_until,
    stageStartedAt: state.stage_started_at,
    expiresAt: facts.expires_at ?? null,
    sendAt: facts.send_at ?? null,
    waited: facts.waited ?? false,
    pushOutcomes:
      hash.pushOutcomes === null ? {} : pushOutcomesSchema.parse(JSON.parse(hash.pushOutcomes)),
    request: hash.request === null || hash.request === "" ? null : readRequest(hash.request, open),
  };
}
