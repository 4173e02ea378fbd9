/** Times that an offset moves out of the years that everyone can write are refused where they stand. */
import { expect, it } from "vitest";
import { readTeacherEvent, type TeacherEventRules } from "../../src/ingest/teacher-event.ts";
import { batchCompleted, envelopeOf, recordOf, templates } from "./intake-scene.ts";

const NOW = Date.parse("2026-09-14T08:00:00Z");
const RULES: TeacherEventRules = {
  templates,
  eventTypes: [],
  allowUnknownTypes: false,
  exposeStorageIds: false,
};
const TOO_LATE = "9999-12-31T23:59:59-23:59";
const TOO_EARLY = "0000-01-01T00:00:00+00:01";

function read(value: Record<string, unknown>) {
  return readTeacherEvent(value, recordOf(value, { timestamp: NOW }), RULES);
}

const fields = [
  ["timestamp", (time: string) => batchCompleted({ timestamp: time })],
  ["deadline_timestamp", (time: string) => batchCompleted({ deadline_timestamp: time })],
  ["event_timestamp", (time: string) => envelopeOf(batchCompleted(), { event_timestamp: time })],
  [
    "data.deadline_timestamp",
    (time: string) => envelopeOf(batchCompleted({ deadline_timestamp: time })),
  ],
  [
    "The deadline",
    (time: string) =>
      batchCompleted({
        notification_type: "student_matching_confirmation_required",
        payload: { deadline_timestamp: time },
      }),
  ],
] as const;

it.each(fields)("is said of %s", (field, eventWith) => {
  for (const time of [TOO_LATE, TOO_EARLY]) {
    const reading = read(eventWith(time));
    expect(reading).toMatchObject({ kind: "unusable", reason: "invalid_event" });
    const about = `${field}: must be within the years 0000 to 9999 in UTC`;
    expect(reading).toHaveProperty("detail", expect.stringContaining(about));
  }
});

it.each(fields)("is not said of %s at the very ends", (_field, eventWith) => {
  for (const time of [
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59",
    "9999-12-31T23:59:59+01:00",
    "0000-01-01T00:00:00Z",
    "0000-01-01T00:00:00-01:00",
  ]) {
    expect(read(eventWith(time)).kind).toBe("event");
  }
});

it("is said of a deadline that a type counts from when it happened", () => {
  const reading = read(
    batchCompleted({
      notification_type: "student_matching_confirmation_required",
      payload: {},
      timestamp: "9999-12-31T23:59:59Z",
    }),
  );
  expect(reading).toMatchObject({
    kind: "unusable",
    detail: "The deadline: must be within the years 0000 to 9999 in UTC.",
  });
});
