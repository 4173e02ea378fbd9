/** Moves a trace in time, so that what happened last in it happens now. */
import { dataOf, isObject, textOf, type TraceRecord } from "./trace-record.ts";

/** RFC 3339, or the same without an offset, which is UTC. */
const TIME_PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/;
/** A deadline this near could pass during the replay, and the count would depend on how fast it is. */
const CLEARANCE_MS = 15 * 60_000;
const STEP_MS = 60_000;
const DEADLINE_FIELDS = ["deadline_timestamp", "confirmation_deadline"] as const;

/** Epoch milliseconds; undefined if it is no time. */
export function instantOf(text: string | undefined): number | undefined {
  if (text === undefined || !TIME_PATTERN.test(text)) return undefined;
  return Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`);
}

/** When it happened: as the event itself says, else its envelope. */
export function happenedAt({ value }: TraceRecord): number | undefined {
  if (!isObject(value)) return undefined;
  return instantOf(textOf(dataOf(value), "timestamp") ?? textOf(value, "event_timestamp"));
}

/** By when the person has to act. */
export function deadlineOf({ value }: TraceRecord): number | undefined {
  if (!isObject(value)) return undefined;
  const data = dataOf(value);
  return DEADLINE_FIELDS.map((name) => instantOf(textOf(data, name))).find(
    (at) => at !== undefined,
  );
}

/**
 * Every time in it, deadlines too, moved by one amount: the last event lies just before `nowMs`, and
 * no deadline so near to it that it would pass meanwhile.
 */
export function shiftTo(records: readonly TraceRecord[], nowMs: number): TraceRecord[] {
  const last = Math.max(...records.map((record) => happenedAt(record) ?? Number.NEGATIVE_INFINITY));
  if (!Number.isFinite(last)) return [...records];
  const deadlines = records.flatMap((record) => deadlineOf(record) ?? []);
  let shiftMs = nowMs - last;
  while (deadlines.some((at) => Math.abs(at + shiftMs - nowMs) < CLEARANCE_MS)) shiftMs -= STEP_MS;
  return records.map((record) => ({ ...record, value: shiftValue(record.value, shiftMs) }));
}

function shiftValue(value: TraceRecord["value"], shiftMs: number): TraceRecord["value"] {
  if (!isObject(value)) return value;
  const shifted = shiftTimes(value, shiftMs);
  return isObject(shifted) ? shifted : value;
}

function shiftTimes(value: unknown, shiftMs: number): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => shiftTimes(item, shiftMs));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, shiftTimes(part, shiftMs)]),
    );
  }
  if (typeof value !== "string") return value;
  const at = instantOf(value);
  if (at === undefined) return value;
  const moved = new Date(at + shiftMs).toISOString();
  // A naive time stays naive: how that is read is part of what is tested.
  return /(Z|[+-]\d{2}:\d{2})$/.test(value) ? moved : moved.slice(0, -1);
}
