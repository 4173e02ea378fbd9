/** Holds what was seen of each record against what the independent count says must become of it. */
import type { Entry } from "./books.ts";
import { VERDICTS, type Expected, type Verdict } from "./expectation.ts";
import { frameFaults, strangersIn } from "./frame-check.ts";
import type { Shown } from "./listeners.ts";
import { PLACE_HEADER, type Written } from "./stream.ts";
import { isObject, textOf } from "./trace-record.ts";

/** `lost`: it should have been shown, or told of, and was not. */
export type Found = Verdict | "lost";

export interface Line {
  readonly expected: Expected;
  readonly found: Found;
}

export interface Evidence {
  readonly shown: readonly Shown[];
  readonly entries: readonly Entry[];
  readonly deadLetters: readonly Written[];
}

export interface Account {
  /** One for each record of the trace, in its order. */
  readonly lines: readonly Line[];
  /** Everything else that is not as it has to be, a sentence each. */
  readonly faults: readonly string[];
}

/** Of these nothing is seen; how many there were is told by the product's own counters. */
const SILENT: readonly Verdict[] = ["deduplicated", "repeated", "stale", "tombstone", "no_owner"];

export function takeAccount(
  expected: readonly Expected[],
  evidence: Evidence,
  owners: ReadonlyMap<string, string>,
): Account {
  const faults: string[] = [];
  const events = groupBy(evidence.entries, ({ eventId }) => eventId);
  for (const [eventId, entries] of events) {
    if (entries.length > 1) faults.push(`event ${eventId} made ${entries.length} notifications`);
  }
  const frames = new Map(evidence.shown.map((one) => [String(one.frame["notification_id"]), one]));
  if (frames.size < evidence.shown.length) faults.push("one notification was shown to two people");
  const putAside = new Map(
    evidence.deadLetters.map((letter) => [placeOf(letter, expected), letter]),
  );

  for (const { userId, frame } of evidence.shown) {
    const others = strangersIn(frame, userId, owners);
    if (others.length > 0) faults.push(`${userId} was shown ${others.join(", ")} of others`);
  }

  const used = new Set<string>();
  const withoutId: { at: number; one: Expected }[] = [];
  const lines: Line[] = expected.map((one, at) => {
    const letter = putAside.get(at);
    if (letter !== undefined) return { expected: one, found: checkLetter(one, letter, faults) };
    const id = eventIdOf(one);
    if (id === undefined && one.verdict === "delivered") withoutId.push({ at, one });
    const [entry] = id === undefined ? [] : (events.get(id) ?? []);
    // The first record with this event id has made it; the others repeat it.
    if (entry === undefined || used.has(entry.id)) return { expected: one, found: silent(one) };
    used.add(entry.id);
    const frame = frames.get(entry.id);
    if (frame === undefined) {
      return { expected: one, found: entry.status === "expired" ? "expired" : "lost" };
    }
    faults.push(...faultsOf(frame, one));
    return { expected: one, found: "delivered" };
  });

  const rest = evidence.shown.filter(({ frame }) => !used.has(String(frame["notification_id"])));
  for (const { at, one } of withoutId) {
    const match = rest.findIndex((frame) => faultsOf(frame, one).length === 0);
    if (match < 0) continue;
    rest.splice(match, 1);
    lines[at] = { expected: one, found: "delivered" };
  }
  for (const { userId, frame } of rest) {
    faults.push(`${userId} was shown ${String(frame["type"])}, which nobody asked for`);
  }
  return { lines, faults };
}

/** How often each outcome of those that nothing is seen of has to be counted by the product. */
export function silentCounts(lines: readonly Line[]): ReadonlyMap<Verdict, number> {
  return new Map(
    SILENT.map((verdict) => [verdict, lines.filter(({ found }) => found === verdict).length]),
  );
}

export const isAsExpected = ({ expected, found }: Line): boolean => expected.verdict === found;

/** @returns verdicts with the records found so and expected so, for one group of lines. */
export function tally(lines: readonly Line[]): Map<Found, { found: number; expected: number }> {
  return new Map(
    [...VERDICTS, "lost" as const].map((verdict) => [
      verdict,
      {
        found: lines.filter((line) => line.found === verdict).length,
        expected: lines.filter((line) => line.expected.verdict === verdict).length,
      },
    ]),
  );
}

function silent({ verdict }: Expected): Found {
  return SILENT.includes(verdict) ? verdict : "lost";
}

function faultsOf({ userId, frame }: Shown, one: Expected): string[] {
  const owner = one.userId === userId ? [] : [`it is for ${one.userId}`];
  return [...owner, ...frameFaults(frame, one)].map(
    (fault) => `${userId}, ${String(frame["type"])} (${one.correlationId}): ${fault}`,
  );
}

function checkLetter(one: Expected, letter: Written, faults: string[]): Verdict {
  const reason = letter.headers["dlq-reason"];
  if (one.verdict === "dead" && reason !== one.reason) {
    faults.push(`${one.type} was put aside as ${reason}, not as ${one.reason}`);
  }
  const { value } = one.record;
  const original = typeof value === "string" || value === null ? value : JSON.stringify(value);
  // What a projector made of it is a record of its own.
  if (PLACE_HEADER in letter.headers && letter.value !== original) {
    faults.push(`${one.type} was put aside with other bytes than it had`);
  }
  return "dead";
}

/** Its place in the trace: as the record says, or the event that a projector made of it. */
function placeOf(letter: Written, expected: readonly Expected[]): number {
  const place = letter.headers[PLACE_HEADER];
  if (place !== undefined) return Number(place);
  const value: unknown = JSON.parse(letter.value ?? "null");
  const id = isObject(value) ? textOf(value, "event_id") : undefined;
  return expected.findIndex((one) => eventIdOf(one) === id);
}

export function eventIdOf({ record }: Expected): string | undefined {
  return isObject(record.value) ? textOf(record.value, "event_id") : undefined;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
