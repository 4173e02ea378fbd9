/**
 * The two halves of a replay. Of a domain event and the teacher event about it only the first rings;
 * so half of the people get their domain events first and the others their teacher events, and each
 * type rings somewhere.
 */
import { TEACHER_TOPICS } from "./catalog.ts";
import { dataOf, isObject, textOf, type TraceRecord } from "./trace-record.ts";

/** Whom a record names; undefined if nobody. */
export function personIn({ value }: TraceRecord): string | undefined {
  if (!isObject(value)) return undefined;
  return textOf(dataOf(value), "teacher_id") ?? textOf(dataOf(value), "user_id");
}

/** Everybody a trace names, in a fixed order. */
export function peopleIn(records: readonly TraceRecord[]): string[] {
  return [...new Set(records.flatMap((record) => personIn(record) ?? []))].sort();
}

export function halvesOf(records: readonly TraceRecord[]): [TraceRecord[], TraceRecord[]] {
  const places = new Map(peopleIn(records).map((person, place) => [person, place]));
  const isFirst = (record: TraceRecord): boolean => {
    const domainFirst = (places.get(personIn(record) ?? "") ?? 0) % 2 === 0;
    return TEACHER_TOPICS.some((name) => name === record.topic) !== domainFirst;
  };
  return [records.filter(isFirst), records.filter((record) => !isFirst(record))];
}
