/** Whether a frame says what its event has to become, and nothing that belongs to somebody else. */
import { isDeepStrictEqual } from "node:util";
import { DOMAIN_KINDS } from "./catalog.ts";
import type { Expected } from "./expectation.ts";
import { deadlineOf, instantOf } from "./time-shift.ts";
import { dataOf, isObject, textOf, type JsonObject } from "./trace-record.ts";

/** Beside the event's own fields, `data` tells these of every notification. */
const ADDED = ["category", "priority", "deadline", "action_required"];
const DEADLINE_FIELDS = ["deadline_timestamp", "confirmation_deadline"];
const REFERENCES = ["batch_id", "class_id", "student_id"] as const;

/** One sentence for each thing that is not as it has to be. */
export function frameFaults(frame: JsonObject, expected: Expected): string[] {
  const { value } = expected.record;
  if (!isObject(value)) return ["a frame of an event that cannot be read"];
  const event = dataOf(value);
  const data = isObject(frame["data"]) ? frame["data"] : {};
  const wanted = expected.side === "domain" ? domainWish(expected, event) : teacherWish(event);
  const deadline = deadlineOf(expected.record);

  const top = {
    type: expected.type,
    event: expected.type,
    notification_type: expected.type,
    category: wanted.category,
    priority: wanted.priority,
    action_required: wanted.actionRequired,
    ...(expected.correlationId === undefined ? {} : { correlation_id: expected.correlationId }),
    ...references(event),
  };
  const inData = { ...wanted.data, category: wanted.category, priority: wanted.priority };
  const allowed = new Set([...Object.keys(wanted.data), ...ADDED, ...DEADLINE_FIELDS]);
  return [
    ...differences(top, frame, ""),
    ...differences(inData, data, "data."),
    ...Object.keys(data).flatMap((name) =>
      allowed.has(name) || data[name] === null ? [] : [`data.${name} is not meant`],
    ),
    ...(deadline === undefined || sameValue(new Date(deadline).toISOString(), frame["deadline"])
      ? []
      : [`deadline is ${JSON.stringify(frame["deadline"])}`]),
    ...["title", "body"].flatMap((name) => {
      const text = frame[name];
      const broken = typeof text !== "string" || text === "" || /undefined|null|[{}]/.test(text);
      return broken ? [`${name} is ${JSON.stringify(text)}`] : [];
    }),
  ];
}

interface Wish {
  readonly category: unknown;
  readonly priority: unknown;
  readonly actionRequired: unknown;
  readonly data: JsonObject;
}

function domainWish({ type }: Expected, event: JsonObject): Wish {
  const kind = DOMAIN_KINDS.get(type);
  if (kind === undefined) throw new Error(`${type} is no domain kind`);
  const { category, priority, actionRequired, shown } = kind;
  // Another name under which producers send the same list.
  const read: JsonObject = {
    ...event,
    validation_errors: event["validation_errors"] ?? event["errors"],
  };
  const fields = shown.flatMap((name) => {
    const value = read[name];
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return {
    category,
    priority,
    actionRequired,
    data: { ...Object.fromEntries(fields), ...kind.made(read) },
  };
}

function teacherWish(event: JsonObject): Wish {
  const lower = (name: string): string => (textOf(event, name) ?? "").toLowerCase();
  const payload = isObject(event["payload"]) ? event["payload"] : {};
  const own = Object.entries(payload).filter(
    ([name, value]) => value !== null && !ADDED.includes(name),
  );
  return {
    category: lower("category"),
    priority: lower("priority"),
    actionRequired: event["action_required"] ?? false,
    data: Object.fromEntries(own),
  };
}

/** Where the event names them, so does the frame. */
function references(event: JsonObject): JsonObject {
  return Object.fromEntries(
    REFERENCES.flatMap((name) => {
      const id = textOf(event, name);
      return id === undefined ? [] : [[name, id] as const];
    }),
  );
}

function differences(wanted: JsonObject, got: JsonObject, path: string): string[] {
  return Object.entries(wanted).flatMap(([name, value]) =>
    sameValue(value, got[name])
      ? []
      : [`${path}${name} is ${JSON.stringify(got[name])}, not ${JSON.stringify(value)}`],
  );
}

/** Times are the same if they mean the same moment; where they come out, their offset is `Z`. */
function sameValue(wanted: unknown, got: unknown): boolean {
  const at = typeof wanted === "string" ? instantOf(wanted) : undefined;
  if (at === undefined) return isDeepStrictEqual(wanted, got);
  return typeof got === "string" && got.endsWith("Z") && instantOf(got) === at;
}

/** Who the ids in a trace belong to; those that several people share are left out. */
export function ownersOfIds(expected: readonly Expected[]): ReadonlyMap<string, string> {
  const found = new Map<string, string | undefined>();
  for (const { record, userId, verdict } of expected) {
    // What was put aside may name one person and speak of another's batch.
    if (userId === undefined || verdict === "dead") continue;
    for (const id of idsIn(record.value)) {
      const known = found.get(id);
      if (!found.has(id)) found.set(id, userId);
      else if (known !== userId) found.set(id, undefined);
    }
  }
  return new Map(
    [...found].flatMap(([id, person]) => (person === undefined ? [] : [[id, person]])),
  );
}

/** Ids in the frame that are somebody else's. */
export function strangersIn(
  frame: JsonObject,
  userId: string,
  owners: ReadonlyMap<string, string>,
): string[] {
  return textsIn(frame).filter((text) => (owners.get(text) ?? userId) !== userId);
}

function idsIn(value: unknown, name = ""): string[] {
  if (typeof value === "string") return name.endsWith("_id") ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => idsIn(item, name));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => idsIn(part, key));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => textsIn(item));
  return isObject(value) ? Object.values(value).flatMap((part) => textsIn(part)) : [];
}
