/** A replay that could not see a loss would prove nothing: each fault is put in and must be found. */
import { describe, expect, it } from "vitest";
import { isAsExpected, takeAccount, type Evidence } from "./account.ts";
import type { Entry } from "./books.ts";
import { TEACHER_TOPICS } from "./catalog.ts";
import { expectedOf, type Expected } from "./expectation.ts";
import { ownersOfIds } from "./frame-check.ts";
import type { Shown } from "./listeners.ts";
import { orderFaults, projectionFaults } from "./order.ts";
import { PLACE_HEADER, type Written } from "./stream.ts";
import type { JsonObject, TraceRecord } from "./trace-record.ts";

const NOW = Date.UTC(2026, 9, 5, 12);
const TIME = new Date(NOW - 60_000).toISOString();
const READY = "huleedu.batch.essays.ready.v1";
const CREATED = "huleedu.class.created.v1";

function domain(topic: string, id: string, data: JsonObject): TraceRecord {
  const value = { event_id: id, event_type: topic, data: { ...data, timestamp: TIME } };
  return { topic, key: "any", value };
}

function teacher(id: string, data: JsonObject): TraceRecord {
  const [topic] = TEACHER_TOPICS;
  const notification = { category: "class_management", priority: "standard", timestamp: TIME };
  const value = { event_id: id, event_type: topic, data: { ...notification, ...data } };
  return { topic, key: "any", value };
}

const aboutClass = { class_id: "class-1", class_name: "7B" };
const PHASES: readonly TraceRecord[][] = [
  [
    domain(CREATED, "d1", { user_id: "ada", ...aboutClass }),
    domain(READY, "d2", { user_id: "ada", batch_id: "batch-1", essay_count: 3 }),
    domain(READY, "d3", { user_id: "bo", batch_id: "batch-2", essay_count: 4 }),
    { topic: READY, key: null, value: "no JSON" },
  ],
  [
    teacher("t1", {
      teacher_id: "ada",
      notification_type: "class_created",
      correlation_id: "d1",
      payload: aboutClass,
    }),
  ],
];

const EXPECTED = expectedOf(PHASES, { maxAgeMs: 86_400_000, nowMs: NOW });

/** What a sound product shows of these events. */
function frame(id: string, data: JsonObject): JsonObject {
  const type = id === "d1" ? "class_created" : "batch_essays_ready";
  const category = id === "d1" ? "class_management" : "batch_progress";
  const about = "batch_id" in data ? { batch_id: data["batch_id"] } : { class_id: "class-1" };
  return {
    type,
    event: type,
    notification_type: type,
    notification_id: `note-${id}`,
    correlation_id: id,
    category,
    priority: "standard",
    action_required: false,
    deadline: null,
    title: "A title",
    body: "A body",
    data: { ...data, timestamp: TIME, category, priority: "standard" },
    ...about,
  };
}

const batch = (number: number, count: number): JsonObject => ({
  batch_id: `batch-${number}`,
  essay_count: count,
  message: `Batch ready with ${count} essays`,
});

const note = (id: string, userId: string): Entry => ({
  id: `note-${id}`,
  userId,
  templateId: "any",
  status: "delivered",
  eventId: id,
});

interface Mutable {
  shown: Shown[];
  entries: Entry[];
  deadLetters: Written[];
}

function soundEvidence(): Mutable {
  return {
    shown: [
      { userId: "ada", frame: frame("d1", aboutClass) },
      { userId: "ada", frame: frame("d2", batch(1, 3)) },
      { userId: "bo", frame: frame("d3", batch(2, 4)) },
    ],
    entries: [note("d1", "ada"), note("d2", "ada"), note("d3", "bo")],
    deadLetters: [letter("invalid_json", "no JSON")],
  };
}

function letter(reason: string, value: string): Written {
  const headers = { [PLACE_HEADER]: "3", "dlq-reason": reason };
  return { topic: "dlq", partition: 0, offset: 0n, value, headers };
}

function account(evidence: Evidence) {
  const { lines, faults } = takeAccount(EXPECTED, evidence, ownersOfIds(EXPECTED));
  const wrong = lines.filter((line) => !isAsExpected(line));
  return { wrong: wrong.map(({ expected, found }) => `${idOf(expected)} ${found}`), faults };
}

const idOf = ({ record: { value } }: Expected): string =>
  typeof value === "object" && value !== null ? String(value["event_id"]) : String(value);

function accountOfChanged(change: (evidence: Mutable) => void) {
  const evidence = soundEvidence();
  change(evidence);
  return account(evidence);
}

function changeFrame(evidence: Mutable, at: number, change: JsonObject): void {
  const [one] = evidence.shown.slice(at, at + 1);
  if (one !== undefined) evidence.shown[at] = { ...one, frame: { ...one.frame, ...change } };
}

it("the independent count knows what each record has to become", () => {
  expect(EXPECTED.map(({ verdict }) => verdict)).toEqual([
    "delivered",
    "delivered",
    "delivered",
    "dead",
    "deduplicated",
  ]);
});

describe("the account", () => {
  it("finds nothing where all is as it has to be", () => {
    expect(account(soundEvidence())).toEqual({ wrong: [], faults: [] });
  });

  it.each<[string, string, (evidence: Mutable) => void]>([
    ["one that was taken in and never shown", "d2 lost", ({ shown }) => shown.splice(1, 1)],
    [
      "one that was never taken in",
      "d3 lost",
      (evidence) => {
        evidence.shown.pop();
        evidence.entries.pop();
      },
    ],
    [
      "a twin that rang as well",
      "t1 delivered",
      ({ shown, entries }) => {
        entries.push(note("t1", "ada"));
        const second = { ...frame("d1", aboutClass), notification_id: "note-t1" };
        shown.push({ userId: "ada", frame: second });
      },
    ],
    ["poison that was dropped", "no JSON lost", ({ deadLetters }) => deadLetters.pop()],
  ])("finds %s", (_what, found, change) => {
    expect(accountOfChanged(change).wrong).toContain(found);
  });

  it.each<[string, RegExp, (evidence: Mutable) => void]>([
    [
      "one that came to somebody else",
      /it is for bo/,
      (evidence) => {
        const [one] = evidence.shown.slice(2);
        if (one !== undefined) evidence.shown[2] = { ...one, userId: "ada" };
      },
    ],
    [
      "ids of somebody else",
      /shown batch-2 of others/,
      (evidence) => changeFrame(evidence, 0, { body: "batch-2" }),
    ],
    [
      "another sentence",
      /data.message is "Ready"/,
      (evidence) => changeFrame(evidence, 1, { data: { ...batch(1, 3), message: "Ready" } }),
    ],
    [
      "a field that nobody may see",
      /data.text_storage_id is not meant/,
      (evidence) =>
        changeFrame(evidence, 1, {
          data: {
            ...batch(1, 3),
            timestamp: TIME,
            category: "batch_progress",
            priority: "standard",
            text_storage_id: "store-1",
          },
        }),
    ],
    [
      "a text with a gap",
      /body is "null"/,
      (evidence) => changeFrame(evidence, 0, { body: "null" }),
    ],
    [
      "a second notification of one event",
      /event d2 made 2 notifications/,
      ({ entries }) => entries.push({ ...note("d2", "ada"), id: "note-more" }),
    ],
    [
      "one that nobody asked for",
      /which nobody asked for/,
      ({ shown }) =>
        shown.push({ userId: "bo", frame: { ...frame("d3", batch(2, 4)), notification_id: "x" } }),
    ],
    [
      "poison put aside for another reason",
      /put aside as poison/,
      (evidence) => {
        evidence.deadLetters = [letter("poison", "no JSON")];
      },
    ],
    [
      "poison put aside changed",
      /other bytes/,
      (evidence) => {
        evidence.deadLetters = [letter("invalid_json", "no JSON!")];
      },
    ],
  ])("finds %s", (_what, fault, change) => {
    expect(accountOfChanged(change).faults.join("\n")).toMatch(fault);
  });
});

describe("the order", () => {
  const written = (id: string, offset: bigint, topic = "teacher"): Written => ({
    topic,
    partition: 0,
    offset,
    value: JSON.stringify({ event_id: id }),
    headers: {},
  });
  const { shown, entries } = soundEvidence();

  it("is that of the partition, for one person and lane", () => {
    const inOrder = [written("d1", 1n), written("d2", 2n), written("d3", 0n)];
    expect(orderFaults(shown, entries, inOrder)).toEqual([]);
    const turned = [written("d2", 1n), written("d1", 2n), written("d3", 0n)];
    expect(orderFaults(shown, entries, turned)).toHaveLength(1);
  });

  it("goes by the first time that a record was written", () => {
    const again = [written("d1", 1n), written("d2", 2n), written("d1", 3n)];
    expect(orderFaults(shown, entries, again)).toEqual([]);
  });

  it("of what a projector published is that of its events", () => {
    const events = [written("d1", 1n, READY), written("d2", 2n, READY)];
    const published = [written("d1", 7n), written("d2", 8n), written("d1", 9n)];
    expect(projectionFaults(events, published)).toEqual([]);
    const turned = [written("d2", 7n), written("d1", 8n)];
    expect(projectionFaults(events, turned)).toHaveLength(1);
  });
});
