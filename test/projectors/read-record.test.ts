/** What of a record is taken for an event, and what an operator is told of those that are none. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventTable } from "../../src/projectors/event-table.ts";
import { readRecord, type Occurrence } from "../../src/projectors/read-record.ts";
import { envelope, read, record, testConfig } from "./records.ts";
import { AT, sampleOf, USER } from "./samples.ts";

const SAMPLE = sampleOf("student_created");
const SHA256_HEX = /^[0-9a-f]{64}$/;

function occurrenceOf(value: unknown, topic?: string): Occurrence {
  const reading = read(value, topic);
  if (reading.kind === "occurrence") return reading.occurrence;
  throw new Error(`no occurrence: ${JSON.stringify(reading)}`);
}

describe("an event without an id", () => {
  const nameless = { event_id: null };

  it("gets the same one on both of its topics, however its data is ordered", () => {
    const first = envelope(SAMPLE, {}, nameless);
    const reordered = Object.fromEntries(
      Object.entries(first["data"] as object).toReversed(), // a sample's data is an object
    );
    const again = { ...first, event_type: SAMPLE.secondType, data: reordered };
    const id = occurrenceOf(first, SAMPLE.type).eventId;
    expect(id).toMatch(SHA256_HEX);
    expect(occurrenceOf(again, SAMPLE.secondType).eventId).toBe(id);
  });

  it("gets another than one that tells something else", () => {
    const first = occurrenceOf(envelope(SAMPLE, {}, nameless));
    const later = envelope(SAMPLE, { timestamp: "2026-09-01T07:59:31Z" }, nameless);
    expect(occurrenceOf(later).eventId).not.toBe(first.eventId);
    const { data } = envelope(SAMPLE, { essay_id: "essay-1" });
    const ofType = (event_type: string) => occurrenceOf({ event_type, data }).eventId;
    const types = [SAMPLE.type, "huleedu.essay.student.association.updated.v1"];
    expect(new Set(types.map(ofType)).size).toBe(2);
  });
});

describe("an event without an envelope", () => {
  const data = { user_id: USER, timestamp: AT, ...SAMPLE.data };

  it.each([SAMPLE.type, SAMPLE.secondType])("has the type of its topic, %s", (topic) => {
    const { event, facts, eventId } = occurrenceOf(data, topic);
    expect(event.notification).toBe("student_created");
    expect(facts.studentId).toBe("student-1");
    expect(eventId).toBe(occurrenceOf({ event_type: SAMPLE.type, data }).eventId);
  });

  it("keeps an id of its own", () => {
    expect(occurrenceOf({ ...data, event_id: "event-9" }, SAMPLE.type).eventId).toBe("event-9");
  });

  it("is refused where the topic is for nothing in particular", () => {
    expect(read(data, "some.topic")).toEqual({
      kind: "unreadable",
      reason: "invalid_event",
      detail: "event_type: missing, and the topic is for no one type",
    });
  });
});

describe("an unusable record", () => {
  const secret = "Dear diary";

  it.each<[what: string, value: unknown, reason: string, detail: RegExp]>([
    ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "invalid_json", /UTF-8/],
    ["no JSON", `{"a": ${secret}`, "invalid_json", /JSON/],
    ["a list", [secret], "invalid_event", /object/],
    ["a text", JSON.stringify(secret), "invalid_event", /object/],
    ["an empty value", "", "invalid_json", /JSON/],
    ["an envelope without a type", { data: { secret } }, "invalid_event", /^event_type: /],
    ["an envelope without data", { event_type: SAMPLE.type }, "invalid_event", /^data: /],
    [
      "data that is a text",
      { event_type: SAMPLE.type, data: secret },
      "invalid_event",
      /^data: must be an object/,
    ],
    [
      "an unknown type",
      { event_type: "huleedu.weather.changed.v1", data: { secret } },
      "unknown_event_type",
      /huleedu\.weather\.changed\.v1/,
    ],
    [
      "a teacher event on a domain topic",
      { event_type: "huleedu.notification.teacher.requested.v1", data: { secret } },
      "unknown_event_type",
      /no projector/,
    ],
    [
      "a user who cannot be one",
      envelope(SAMPLE, { user_id: `${secret}:*` }),
      "invalid_event",
      /^data\.user_id: must be 1 to 128 letters/,
    ],
    [
      "an id that is a number",
      envelope(SAMPLE, { student_id: 12_345 }),
      "invalid_event",
      /^data\.student_id: .*expected string/,
    ],
    [
      "a fault deep inside",
      envelope(sampleOf("student_matches_suggested"), {
        suggested_matches: [{ essay_id: "essay-1" }, { essay_id: 7 }],
      }),
      "invalid_event",
      /^data\.suggested_matches\.1\.essay_id: /,
    ],
    [
      "a count below zero",
      envelope(sampleOf("batch_essays_ready"), { essay_count: -1 }),
      "invalid_event",
      /^data\.essay_count: /,
    ],
    [
      "a blank file name",
      envelope(sampleOf("batch_file_added"), { filename: " " }),
      "invalid_event",
      /^data\.filename: must not be blank/,
    ],
  ])("(%s) is told of by what is wrong, not by what it holds", (_what, value, reason, detail) => {
    const reading = read(value);
    expect(reading).toMatchObject({ kind: "unreadable", reason });
    expect(reading).toHaveProperty("detail", expect.stringMatching(detail));
    expect(JSON.stringify(reading)).not.toContain(secret);
  });
});

describe("any value at all", () => {
  const table = createEventTable(testConfig());
  const isRead = (value: Buffer) => {
    const { kind } = readRecord({ ...record({}, SAMPLE.type), value }, table);
    return ["occurrence", "unreadable"].includes(kind);
  };

  it("is read or refused, and never throws", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => isRead(Buffer.from(bytes))));
    fc.assert(fc.property(fc.json(), (text) => isRead(Buffer.from(text))));
    const mutated = fc.record(
      {
        event_id: fc.anything(),
        event_type: fc.oneof(fc.constant(SAMPLE.type), fc.anything()),
        event_timestamp: fc.anything(),
        data: fc.oneof(fc.dictionary(fc.string(), fc.anything()), fc.anything()),
        metadata: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(mutated, (value) => {
        const text = JSON.stringify(value, (_key, part: unknown) =>
          typeof part === "bigint" ? String(part) : part,
        );
        return isRead(Buffer.from(text));
      }),
    );
  });

  it("that is no value is a tombstone", () => {
    expect(read(null)).toEqual({ kind: "tombstone" });
  });
});
