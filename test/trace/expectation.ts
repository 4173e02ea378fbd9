/**
 * The independent count: what has to become of each record of a trace, worked out from the rules
 * alone, with no code of the product and nothing looked up in what it did.
 */
import {
  DOMAIN_KINDS,
  ENDS_WITH_DEADLINE,
  kindOf,
  TEACHER_TOPICS,
  TEACHER_TYPES,
} from "./catalog.ts";
import { deadlineOf, happenedAt } from "./time-shift.ts";
import { dataOf, isObject, textOf, type JsonObject, type TraceRecord } from "./trace-record.ts";

export const VERDICTS = [
  "delivered",
  "deduplicated",
  "repeated",
  "stale",
  "expired",
  "tombstone",
  "no_owner",
  "dead",
] as const;
export type Verdict = (typeof VERDICTS)[number];

export type Side = "domain" | "teacher";

export interface Expected {
  readonly record: TraceRecord;
  /** Which table of the report it stands in. */
  readonly side: Side;
  /** The notification it is about; in brackets where that cannot be told. */
  readonly type: string;
  readonly verdict: Verdict;
  /** Of a dead letter. */
  readonly reason: string | undefined;
  /** Whose socket it belongs to; undefined where nobody is meant to get it. */
  readonly userId: string | undefined;
  /** What its frame carries; undefined where the event has no id of its own. */
  readonly correlationId: string | undefined;
}

export interface Rules {
  readonly maxAgeMs: number;
  readonly nowMs: number;
}

/** What is known so far, in the order of the phases. */
interface Memory {
  /** By event id: what became of it the first time. */
  readonly seen: Map<string, Verdict>;
  readonly owners: Map<string, string>;
  /** By event id: the domain events there are, whenever they come. */
  readonly occurrences: ReadonlyMap<string, { readonly twin: string; readonly userId: string }>;
  readonly rung: Map<string, Rung>;
}

interface Rung {
  readonly first: Side;
  /** The event of the other side that was silent. */
  silent: string | undefined;
}

/** What a readable event says of itself. */
interface Said {
  readonly side: Side;
  readonly type: string;
  readonly userId: string | undefined;
  readonly eventId: string | undefined;
  readonly correlationId: string | undefined;
  readonly data: JsonObject;
}

type Judged = Pick<Expected, "verdict"> & { readonly reason?: string; readonly userId?: string };

/**
 * @param phases each is settled before the next begins; within one, no record's fate may depend on
 *   another's
 */
export function expectedOf(phases: readonly (readonly TraceRecord[])[], rules: Rules): Expected[] {
  const memory: Memory = {
    seen: new Map(),
    owners: new Map(),
    occurrences: occurrencesOf(phases.flat()),
    rung: new Map(),
  };
  return phases.flat().map((record) => {
    const side = TEACHER_TOPICS.some((name) => name === record.topic) ? "teacher" : "domain";
    const said = read(record, side);
    if (typeof said === "string") {
      const verdict = said === "tombstone" ? "tombstone" : "dead";
      const reason = verdict === "dead" ? said : undefined;
      return {
        record,
        side,
        type: `(${said})`,
        verdict,
        reason,
        userId: undefined,
        correlationId: undefined,
      };
    }
    const { type, correlationId } = said;
    const { verdict, reason, userId } = judge(said, record, rules, memory);
    return { record, side, type, verdict, reason, userId: userId ?? said.userId, correlationId };
  });
}

function occurrencesOf(records: readonly TraceRecord[]): Memory["occurrences"] {
  const found = new Map<string, { twin: string; userId: string }>();
  for (const { value } of records) {
    if (!isObject(value)) continue;
    const twin = DOMAIN_KINDS.get(kindOf(textOf(value, "event_type") ?? "") ?? "")?.twin;
    const id = textOf(value, "event_id");
    const userId = textOf(dataOf(value), "user_id");
    if (twin !== undefined && id !== undefined && userId !== undefined) {
      found.set(id, { twin, userId });
    }
  }
  return found;
}

/** @returns why it cannot be used, or what it says. */
function read({ value, topic }: TraceRecord, side: Side): Said | string {
  if (value === null) return "tombstone";
  if (typeof value === "string") return isJson(value) ? "invalid_event" : "invalid_json";
  const eventId = textOf(value, "event_id");
  const eventType = textOf(value, "event_type");
  const data = dataOf(value);
  if (side === "domain") {
    const type = kindOf(eventType ?? topic);
    if (type === undefined) return "unknown_event_type";
    if (!isObject(value["data"]) && eventType !== undefined) return "invalid_event";
    const userId = textOf(data, "user_id");
    return { side, type, eventId, correlationId: eventId, userId, data };
  }
  if (eventType !== undefined && !TEACHER_TOPICS.some((name) => name === eventType)) {
    return "unknown_event_type";
  }
  const type = textOf(data, "notification_type");
  const userId = textOf(data, "teacher_id");
  if (type === undefined || userId === undefined || !isObject(data["payload"])) {
    return "invalid_event";
  }
  if (!TEACHER_TYPES.has(type)) return "unknown_notification_type";
  const correlationId =
    textOf(data, "correlation_id") ?? textOf(value, "correlation_id") ?? eventId;
  return { side, type, userId, eventId, correlationId, data };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function judge(said: Said, record: TraceRecord, rules: Rules, memory: Memory): Judged {
  const { nowMs, maxAgeMs } = rules;
  const deadline = deadlineOf(record);
  const happened = happenedAt(record) ?? nowMs;
  if (nowMs - happened > maxAgeMs && (deadline === undefined || deadline <= nowMs)) {
    return { verdict: "stale" };
  }
  const userId = ownerOf(said, memory);
  if (userId === "mismatch") return { verdict: "dead", reason: "ownership_mismatch" };
  if (userId === undefined) return { verdict: "no_owner" };
  const id = said.eventId ?? `${said.type} ${JSON.stringify(said.data)}`;
  const before = memory.seen.get(id);
  // What gave way to its twin does so each time.
  if (before !== undefined) {
    return { verdict: before === "deduplicated" ? before : "repeated", userId };
  }
  const verdict = freshVerdict({ ...said, userId }, id, deadline, { nowMs, memory });
  memory.seen.set(id, verdict);
  return { verdict, userId };
}

function freshVerdict(
  said: Said,
  id: string,
  deadline: number | undefined,
  { nowMs, memory }: { readonly nowMs: number; readonly memory: Memory },
): Verdict {
  if (isSecondOfPair(said, id, memory)) return "deduplicated";
  const late = ENDS_WITH_DEADLINE.has(said.type) && deadline !== undefined && deadline <= nowMs;
  return late ? "expired" : "delivered";
}

/** Batches and classes belong to whom the first domain event about them names. */
function ownerOf(said: Said, { owners }: Memory): string | undefined {
  const { data, side, userId } = said;
  // Beside the payload and in it: the page shows both.
  const places = isObject(data["payload"]) ? [data, data["payload"]] : [data];
  const things = ["batch_id", "class_id"].flatMap((name) =>
    places.flatMap((place) => {
      const id = textOf(place, name);
      return id === undefined ? [] : [`${name} ${id}`];
    }),
  );
  const known = things.map((thing) => owners.get(thing)).find((owner) => owner !== undefined);
  if (userId === undefined) return known;
  if (things.some((thing) => (owners.get(thing) ?? userId) !== userId)) return "mismatch";
  if (side === "domain") for (const thing of things) owners.set(thing, userId);
  return userId;
}

/** Of a domain event and a teacher event about it the first rings; two of a side both do. */
function isSecondOfPair(said: Said, id: string, { occurrences, rung }: Memory): boolean {
  const about = said.side === "domain" ? said.eventId : said.correlationId;
  const occurrence = about === undefined ? undefined : occurrences.get(about);
  if (about === undefined || occurrence === undefined) return false;
  if (said.userId !== occurrence.userId) return false;
  if (said.side === "teacher" && said.type !== occurrence.twin) return false;
  const before = rung.get(about);
  if (before === undefined) {
    rung.set(about, { first: said.side, silent: undefined });
    return false;
  }
  if (before.first === said.side) return false;
  before.silent ??= id;
  return before.silent === id;
}
