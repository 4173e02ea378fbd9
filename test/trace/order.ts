/** Whether each person was shown the notifications of a lane in the order of the partition. */
import { laneOf } from "../../src/contract/vocabulary.ts";
import { prioritySchema } from "../../src/contract/notification-request.ts";
import type { Entry } from "./books.ts";
import type { Shown } from "./listeners.ts";
import type { Written } from "./stream.ts";
import { isObject, textOf } from "./trace-record.ts";

/** The urgent lane promises no order. */
const ORDERED_LANES: ReadonlySet<string> = new Set(["normal", "bulk"]);

/**
 * One sentence for each notification that was shown before one that lies before it on the same
 * partition, for the same person and lane.
 * @param written the teacher topics, each partition in its order: what projectors made too
 */
export function orderFaults(
  shown: readonly Shown[],
  entries: readonly Entry[],
  written: readonly Written[],
): string[] {
  const events = new Map(entries.map(({ id, eventId }) => [id, eventId]));
  // A record that a retry wrote a second time is taken in where it lay first.
  const places = new Map<string, Written>();
  for (const record of written) {
    const id = eventIdIn(record.value);
    if (id !== undefined && !places.has(id)) places.set(id, record);
  }
  const last = new Map<string, { offset: bigint; id: string }>();
  return shown.flatMap(({ userId, frame }) => {
    const lane = laneOf(prioritySchema.parse(frame["priority"]));
    const id = events.get(String(frame["notification_id"])) ?? "";
    const place = places.get(id);
    if (place === undefined || !ORDERED_LANES.has(lane)) return [];
    const line = `${userId} ${lane} ${place.topic} ${place.partition}`;
    const before = last.get(line);
    last.set(line, { offset: place.offset, id });
    if (before === undefined || before.offset < place.offset) return [];
    return [`${line}: ${id} at ${place.offset} came after ${before.id} at ${before.offset}`];
  });
}

/**
 * The same for the projectors: what they published about a person lies in the order of the domain
 * events on their partition.
 */
export function projectionFaults(
  domain: readonly Written[],
  teacher: readonly Written[],
): string[] {
  const places = new Map<string, Written>();
  const mirrored = new Set<string>();
  for (const record of domain) {
    const id = eventIdIn(record.value);
    if (id === undefined) continue;
    const before = places.get(id);
    if (before === undefined) places.set(id, record);
    // On two topics it has no place in either.
    else if (before.topic !== record.topic) mirrored.add(id);
  }
  const last = new Map<string, bigint>();
  const seen = new Set<string>();
  return teacher.flatMap(({ topic, partition, value }) => {
    const id = eventIdIn(value);
    const place = id === undefined ? undefined : places.get(id);
    // After a crash a stretch is projected again; only its first time counts.
    if (id === undefined || place === undefined || seen.has(id) || mirrored.has(id)) return [];
    seen.add(id);
    const line = `${topic} ${partition} from ${place.topic} ${place.partition}`;
    const before = last.get(line) ?? -1n;
    last.set(line, place.offset > before ? place.offset : before);
    return place.offset > before ? [] : [`${line}: ${id} at ${place.offset} after ${before}`];
  });
}

function eventIdIn(value: string | null): string | undefined {
  if (value === null) return undefined;
  try {
    const event: unknown = JSON.parse(value);
    return isObject(event) ? textOf(event, "event_id") : undefined;
  } catch {
    return undefined;
  }
}
