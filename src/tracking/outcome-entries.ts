/**
 * What the ledger's scripts put down for other services, read and made into events. It is done by
 * hand where schemas were: of the 20 us that an event took, reading and checking were half.
 */
import { OUTCOME_EVENT_TYPE, OUTCOME_KINDS, type OutcomeEvent } from "../contract/outcome-event.ts";
import { LEDGER_FORMATS, readFormatMark } from "../contract/versions.ts";
import { STATUSES, type Channel } from "../contract/vocabulary.ts";
import { isoTime } from "../platform/iso-time.ts";
import type { OutgoingRecord } from "../platform/kafka/records.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { parseChannelRecord } from "./note.ts";
import { channelStatus } from "./status-machine.ts";
import { recordOf } from "./stream-fields.ts";

/** A stream per shard, with an entry for each step of a note; what is in it has not been sent yet. */
export function outcomesKey(keyspace: Pick<Keyspace, "sharded">, shard: number): string {
  return keyspace.sharded(shard, "told");
}

/** What happened to a note in one step, and the note after it. */
interface Step {
  readonly kinds: readonly (typeof OUTCOME_KINDS)[number][];
  readonly id: string;
  readonly at: number;
  /** Up to the words of its state, an empty line where its request was; see note-record.ts. */
  readonly lines: readonly string[];
}

/**
 * The records of one entry, keyed by the user: an `OutcomeEvent` each. Their ids are made of the
 * shard and the entry's own id, so that they are the same whenever and by whomever it is read.
 * Undefined if a newer version wrote it, in a form that this one cannot read.
 * @throws Error if the entry is not one that the ledger wrote.
 */
export function outcomeRecordsOf(
  shard: number,
  entryId: string,
  fields: readonly string[],
  newest: number = LEDGER_FORMATS.newest,
): OutgoingRecord[] | undefined {
  const step = readStep(fields, newest);
  if (step === undefined) return undefined;
  const { head, data } = eventOf(step);
  // What the events of a step have in common is put into words once.
  const [common, rest] = [JSON.stringify(head).slice(1, -1), JSON.stringify(data).slice(1)];
  return step.kinds.map((kind, index) => {
    const id = `${shard}-${idWithin(entryId, index)}`;
    const value = `{"event_id":"${id}",${common},"data":{"outcome_id":"${id}","outcome":"${kind}",${rest}}`;
    return { key: data.user_id, value };
  });
}

/** More than one step can have. */
const EVENTS_PER_ENTRY = 10;

function idWithin(entryId: string, index: number): string {
  const [ms, sequence] = entryId.split("-");
  return `${ms}-${Number(sequence) * EVENTS_PER_ENTRY + index}`;
}

function readStep(fields: readonly string[], newest: number): Step | undefined {
  const { step = "", record = "" } = recordOf(fields);
  const lines = record.split("\n", RECORD_LINES);
  // The form of an entry is that of the record in it.
  const mark = readFormatMark(lines[RECORD_LINES - 1] ?? "", 0);
  if (mark !== undefined && mark.format > newest) return undefined;
  const [kinds = "", id = "", at] = step.split(" ");
  return { kinds: kinds.split(",").map(kindOf), id, at: msOf(at), lines };
}

function kindOf(word: string): Step["kinds"][number] {
  return known(OUTCOME_KINDS, word, "outcome");
}

function known<T extends string>(words: readonly T[], text: string, what: string): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new Error(`an entry has an ${what} that nobody knows`);
  return found;
}

function msOf(text: string | undefined): number {
  const ms = Number(text);
  if (!Number.isSafeInteger(ms) || ms <= 0) throw new Error("an entry has a time that is none");
  return ms;
}

/** The lines of a record up to the words of its state; an empty one is where its request was. */
const RECORD_LINES = 4;
const FACT_WORDS = 7;
const STATE_WORDS = 14;

function eventOf({ id, at, lines }: Step): {
  head: Omit<OutcomeEvent, "event_id" | "data">;
  data: Omit<OutcomeEvent["data"], "outcome_id" | "outcome">;
} {
  const [factWords = "", factJson = "", , words = ""] = lines;
  const facts = readFacts(factWords, factJson);
  const state = readState(words);
  const correlationId = facts.correlation ?? id;
  const time = isoTime(at);
  return {
    head: {
      event_type: OUTCOME_EVENT_TYPE,
      event_timestamp: time,
      source_service: "schoolbell",
      correlation_id: correlationId,
    },
    data: {
      notification_id: id,
      ...(facts.event === undefined ? {} : { event_id: facts.event }),
      correlation_id: correlationId,
      user_id: facts.user,
      template_id: facts.template,
      notification_type: facts.type,
      caller: facts.caller,
      status: known(STATUSES, state.status, "status"),
      channels: {
        websocket: channelOutcome(state.websocket),
        push: channelOutcome(state.push),
        sms: channelOutcome(state.sms),
      },
      ...(state.replayId === "-" ? {} : { replay_id: state.replayId }),
      accepted_at: isoTime(msOf(facts.acceptedAt)),
      at: time,
    },
  };
}

/** The two lines of a note's facts, as far as others hear of them. */
function readFacts(line: string, json: string) {
  const words = line.split(" ");
  if (words.length !== FACT_WORDS) throw new Error("the facts of an entry are malformed");
  const [user = "", , , caller = "", template = "", type = "", acceptedAt] = words;
  const rest: unknown = JSON.parse(json);
  const correlation = textIn(rest, "correlation");
  return { user, caller, template, type, acceptedAt, correlation, event: textIn(rest, "event") };
}

function textIn(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) throw new Error("the facts are no object");
  const found: unknown = Reflect.get(value, name);
  if (found === undefined || typeof found === "string") return found;
  throw new Error(`${name} is no text`);
}

/** The words of a note's state, as far as others hear of them. */
function readState(line: string) {
  const words = line.split(" ");
  if (words.length !== STATE_WORDS) throw new Error("the state of an entry is malformed");
  const [, , status = "", , , , , , replayId = "-", , websocket = "", push = "", sms = ""] = words;
  return { status, replayId, websocket, push, sms };
}

function channelOutcome(text: string): OutcomeEvent["data"]["channels"][Channel] {
  const record = parseChannelRecord(text);
  const { reason, at, confirmedAt } = record;
  return {
    status: channelStatus(record),
    ...(reason === null ? {} : { reason }),
    at: isoTime(at),
    ...(confirmedAt === null ? {} : { confirmed_at: isoTime(confirmedAt) }),
  };
}
