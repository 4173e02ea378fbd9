/** What a service says of a teacher notification, and what the page gets of it. */
import { describe, expect, it } from "vitest";
import type { IncomingEvent } from "../../src/ingest/incoming-event.ts";
import { readTeacherEvent, type TeacherEventRules } from "../../src/ingest/teacher-event.ts";
import { batchCompleted, envelopeOf, recordOf, templates } from "./intake-scene.ts";

const NOW = Date.parse("2026-09-14T08:00:00Z");
const RULES: TeacherEventRules = {
  templates,
  eventTypes: [],
  allowUnknownTypes: false,
  exposeStorageIds: false,
};
const TRACEPARENT = "00-8247720201ef0267b55cbc8c6948c14d-dc65e457d6f86584-01";

function read(value: Record<string, unknown>, rules: Partial<TeacherEventRules> = {}) {
  return readTeacherEvent(value, recordOf(value, { timestamp: NOW }), { ...RULES, ...rules });
}

function eventOf(
  value: Record<string, unknown>,
  rules: Partial<TeacherEventRules> = {},
): IncomingEvent {
  const reading = read(value, rules);
  if (reading.kind !== "event") throw new Error(`${reading.reason}: ${reading.detail}`);
  return reading.event;
}

const requestOf = (value: Record<string, unknown>) => eventOf(value).submission.request;

describe("a teacher notification", () => {
  it("is for its teacher, of its type, with its payload, category and priority", () => {
    const { submission } = eventOf(batchCompleted());
    expect(submission.request).toMatchObject({
      user_id: "teacher-123",
      template_id: "batch_processing_completed",
      notification_type: "batch_processing_completed",
      priority: "high",
      correlation_id: "event-789",
      data: {
        batch_id: "batch-456",
        batch_name: "Essay Batch 1",
        status: "completed",
        category: "batch_progress",
        priority: "high",
        action_required: false,
        deadline: null,
      },
    });
    expect(submission.leniency).toBe("lenient");
    expect(submission.event).toMatchObject({ category: "batch_progress" });
  });

  it("is the same with and without an envelope", () => {
    const bare = requestOf(batchCompleted());
    const enveloped = requestOf(envelopeOf(batchCompleted()));
    expect({ ...enveloped, event_id: "" }).toEqual({ ...bare, event_id: "" });
  });

  it("is of all fifteen types", () => {
    const types = templates.list().filter(({ family }) => family === "teacher");
    expect(types).toHaveLength(15);
    for (const { id, category, priority } of types) {
      const event = batchCompleted({ notification_type: id, category, priority, payload: {} });
      expect(requestOf(event).template_id).toBe(id);
    }
  });

  it("lets what it says of itself win over a payload field of the same name", () => {
    const payload = { category: "system_alerts", priority: "low", deadline: "never", other: 1 };
    expect(requestOf(batchCompleted({ payload })).data).toMatchObject({
      category: "batch_progress",
      priority: "high",
      deadline: null,
      other: 1,
    });
  });

  it("keeps a sentence that says what is to be done", () => {
    const payload = { action_required: "Sign page four" };
    const event = batchCompleted({ payload, action_required: true });
    expect(requestOf(event).data["action_required"]).toBe("Sign page four");
    const flag = batchCompleted({ payload: { action_required: 7 }, action_required: true });
    expect(requestOf(flag).data["action_required"]).toBe(true);
  });

  it("hands on ids and takes null for absent", () => {
    const request = requestOf(
      batchCompleted({ batch_id: "b", class_id: null, student_id: "s", deadline_timestamp: null }),
    );
    expect(request).toMatchObject({ batch_id: "b", class_id: undefined, student_id: "s" });
  });

  it("keeps where essays are stored to itself, unless told to show it", () => {
    const event = batchCompleted({ payload: { batch_id: "b", text_storage_id: "t" } });
    expect(requestOf(event).data).not.toHaveProperty("text_storage_id");
    const shown = eventOf(event, { exposeStorageIds: true }).submission.request.data;
    expect(shown).toHaveProperty("text_storage_id", "t");
  });
});

describe("its ids", () => {
  it("names the event behind it by its own word, else the envelope's, else the event's id", () => {
    const silent = batchCompleted({ correlation_id: undefined });
    const from = (data: unknown, changes: Record<string, unknown> = {}) =>
      requestOf(envelopeOf(data, changes)).correlation_id;
    expect(from(batchCompleted(), { correlation_id: "envelope" })).toBe("event-789");
    expect(from(silent, { correlation_id: "envelope" })).toBe("envelope");
    expect(from(silent, { event_id: "own" })).toBe("own");
    expect(from(silent, { event_id: null })).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestOf(silent).correlation_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is one event on both topics and with both names, where the producer gives no id", () => {
    const data = batchCompleted();
    const other = "huleedu.teacher.notification.requested.v1";
    const ids = [
      requestOf(data),
      requestOf(envelopeOf(data, { event_id: undefined })),
      requestOf(envelopeOf(data, { event_id: null, event_type: other })),
      requestOf(Object.fromEntries(Object.entries(data).toReversed())),
    ].map(({ event_id }) => event_id);
    expect(new Set(ids).size).toBe(1);
    expect(requestOf(batchCompleted({ correlation_id: "event-790" })).event_id).not.toBe(ids[0]);
  });

  it("keeps a trace context, from the envelope or the record, and nothing that is none", () => {
    const traceOf = (value: Record<string, unknown>, header?: string) => {
      const headers: Record<string, Buffer> =
        header === undefined ? {} : { traceparent: Buffer.from(header) };
      const reading = readTeacherEvent(value, { timestamp: NOW, headers }, RULES);
      return reading.kind === "event" ? reading.event.submission.event?.traceparent : reading.kind;
    };
    const enveloped = (traceparent: unknown) =>
      envelopeOf(batchCompleted(), { metadata: { traceparent } });
    expect(traceOf(enveloped(TRACEPARENT))).toBe(TRACEPARENT);
    expect(traceOf(batchCompleted(), TRACEPARENT)).toBe(TRACEPARENT);
    expect(traceOf(enveloped(`00-${"0".repeat(32)}-dc65e457d6f86584-01`))).toBeUndefined();
    expect(traceOf(enveloped(7))).toBeUndefined();
  });
});

describe("its times", () => {
  const matching = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
    ...batchCompleted(changes),
    notification_type: "student_matching_confirmation_required",
    category: "student_workflow",
    priority: "critical",
  });
  const deadlineOf = (event: Record<string, unknown>) => {
    const { submission, usefulUntilMs } = eventOf(event);
    expect(submission.event?.deadlineMs ?? null).toBe(usefulUntilMs);
    return { ...submission.request.data, usefulUntilMs };
  };

  it("happened when it says, else when its envelope says, else when it was written", () => {
    const at = (value: Record<string, unknown>) =>
      new Date(eventOf(value).occurredAtMs).toISOString();
    const data = batchCompleted({ timestamp: "2026-09-14T07:30:00.123456" });
    expect(at(data)).toBe("2026-09-14T07:30:00.123Z");
    const event_timestamp = "2026-09-14T09:30:00+02:00";
    expect(at(envelopeOf(batchCompleted(), { event_timestamp }))).toBe("2026-09-14T07:30:00.000Z");
    expect(at(batchCompleted())).toBe("2026-09-14T08:00:00.000Z");
  });

  it("has the deadline beside the payload, else the one in it, else the type's own", () => {
    const payload = { deadline_timestamp: "2026-09-15T10:00:00" };
    const stated = deadlineOf(
      matching({ payload, deadline_timestamp: "2026-09-15T12:00:00+02:00" }),
    );
    expect(stated).toMatchObject({
      deadline: "2026-09-15T10:00:00.000Z",
      deadline_timestamp: "2026-09-15T10:00:00.000Z",
    });
    expect(deadlineOf(matching({ payload }))).toMatchObject({
      deadline: "2026-09-15T10:00:00.000Z",
      // As it was sent: only what the event says of itself is rewritten.
      deadline_timestamp: "2026-09-15T10:00:00",
    });
    const timestamp = "2026-09-14T07:00:00Z";
    expect(deadlineOf(matching({ payload: {}, timestamp }))).toMatchObject({
      deadline: "2026-09-15T07:00:00.000Z",
      deadline_timestamp: "2026-09-15T07:00:00.000Z",
    });
    const unset = { deadline_timestamp: null };
    expect(deadlineOf(matching({ payload: unset, timestamp }))).toMatchObject({
      deadline_timestamp: "2026-09-15T07:00:00.000Z",
    });
  });

  it("shows a deadline that its type knows nothing of", () => {
    const event = batchCompleted({ deadline_timestamp: "2026-09-15T10:00:00Z" });
    expect(deadlineOf(event)).toMatchObject({
      deadline: "2026-09-15T10:00:00.000Z",
      usefulUntilMs: Date.parse("2026-09-15T10:00:00Z"),
    });
  });
});

describe("what it is about", () => {
  it("tells whether a service or a projector speaks of the occurrence", () => {
    const occurrenceOf = (value: Record<string, unknown>) =>
      eventOf(value).submission.event?.occurrence;
    expect(occurrenceOf(batchCompleted())).toEqual({ correlationId: "event-789", kind: "teacher" });
    expect(occurrenceOf(batchCompleted({ projected_from: "huleedu.class.created.v1" }))).toEqual({
      correlationId: "event-789",
      kind: "domain",
    });
    expect(occurrenceOf(batchCompleted({ correlation_id: null }))).toBeUndefined();
  });

  it("names every batch and class that the page would show", () => {
    const payload = { batch_id: "b2", class_id: "c1" };
    expect(eventOf(batchCompleted({ payload, batch_id: "b1", class_id: "c1" })).about).toEqual([
      { kind: "batch", id: "b1" },
      { kind: "batch", id: "b2" },
      { kind: "class", id: "c1" },
    ]);
    expect(eventOf(batchCompleted({ payload: { batch_id: 7 } })).about).toEqual([]);
  });
});

describe("one that cannot be used", () => {
  const wrong: [string, Record<string, unknown>, string, string][] = [
    ["no teacher", envelopeOf(batchCompleted({ teacher_id: undefined })), "invalid_event", "data."],
    [
      "a teacher with a colon",
      batchCompleted({ teacher_id: "a:b" }),
      "invalid_event",
      "teacher_id",
    ],
    ["no payload", batchCompleted({ payload: null }), "invalid_event", "payload"],
    ["an unknown priority", batchCompleted({ priority: "medium" }), "invalid_event", "priority"],
    [
      "a deadline that is no time",
      batchCompleted({ deadline_timestamp: "soon" }),
      "invalid_event",
      "d",
    ],
    ["no data", { event_type: "x" }, "invalid_event", "data"],
    ["nothing", {}, "invalid_event", "event_type"],
    [
      "another event's type",
      envelopeOf(batchCompleted(), { event_type: "huleedu.class.created.v1" }),
      "unknown_event_type",
      "huleedu.class.created.v1",
    ],
    [
      "an unknown type",
      batchCompleted({ notification_type: "school_trip" }),
      "unknown_notification_type",
      "school_trip",
    ],
    [
      "a type about support plans",
      batchCompleted({ notification_type: "iep_meeting_reminder" }),
      "unknown_notification_type",
      "iep_meeting_reminder",
    ],
  ];

  it.each(wrong)("is put aside with the place: %s", (_what, value, reason, detail) => {
    const reading = read(value);
    expect(reading).toMatchObject({ kind: "unusable", reason });
    expect(reading.kind === "unusable" && reading.detail).toContain(detail);
  });

  it("never repeats values in the reason", () => {
    const reading = read(batchCompleted({ teacher_id: "secret value" }));
    expect(reading.kind === "unusable" && reading.detail).not.toContain("secret");
  });

  it("is a general notice of its own type where unknown types are allowed", () => {
    const event = batchCompleted({ notification_type: "school_trip" });
    const { request } = eventOf(event, { allowUnknownTypes: true }).submission;
    expect(request).toMatchObject({ template_id: "notice", notification_type: "school_trip" });
  });

  it("is known by further names that the installation gives the event", () => {
    const event = envelopeOf(batchCompleted(), { event_type: "school.teacher.v1" });
    expect(read(event, { eventTypes: ["school.teacher.v1"] }).kind).toBe("event");
  });
});
