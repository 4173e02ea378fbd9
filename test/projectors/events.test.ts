/** What a teacher's page gets of each domain event: these names, words and fields, and no others. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { teacherNotificationSchema } from "../../src/contract/teacher-notification.ts";
import { DOMAIN_TOPIC_VARIABLES } from "../../src/platform/config-schema-kafka.ts";
import { DOMAIN_EVENTS } from "../../src/projectors/event-table.ts";
import { envelope, eventOf, projected } from "./records.ts";
import { AT, sampleOf, SAMPLES, USER, type Sample } from "./samples.ts";

const named = SAMPLES.map((sample): [string, Sample] => [sample.notification, sample]);
const withSecondName = SAMPLES.flatMap((sample): [string, Sample][] =>
  sample.secondType === undefined ? [] : [[sample.secondType, sample]],
);
const withOptional = SAMPLES.flatMap((sample) =>
  (sample.optional ?? []).map((field): [string, string, Sample] => [
    sample.notification,
    field,
    sample,
  ]),
);

function without(object: Readonly<Record<string, unknown>>, field: string) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));
}

describe("the table", () => {
  it("has a row for every topic, and its type is the topic's usual name", () => {
    const rows = DOMAIN_EVENTS.map(({ variable, type }) => [variable, type]);
    const usual = Object.entries(DOMAIN_TOPIC_VARIABLES).map(([variable, schema]) => [
      variable,
      schema.parse(undefined),
    ]);
    expect(rows).toHaveLength(usual.length);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(usual));
  });

  it("is what the samples are of", () => {
    const tabled = DOMAIN_EVENTS.map(({ notification }) => notification);
    expect(tabled.toSorted()).toEqual(SAMPLES.map(({ notification }) => notification).toSorted());
  });
});

describe.each(named)("%s", (_name, sample) => {
  it("reaches its teacher with its category, priority, words and fields", async () => {
    const event = eventOf(await projected(envelope(sample)));
    const about = Object.fromEntries(
      ["batch_id", "class_id", "student_id"].map((name) => [name, sample.data[name]]),
    );
    expect(event).toEqual({
      event_id: "event-1",
      event_type: "huleedu.notification.teacher.requested.v1",
      event_timestamp: "2026-09-01T08:00:00.000Z",
      source_service: "projector",
      correlation_id: "event-1",
      data: {
        teacher_id: USER,
        notification_type: sample.notification,
        category: sample.category,
        priority: sample.priority,
        payload: sample.payload,
        action_required: sample.actionRequired ?? false,
        deadline_timestamp: sample.deadline,
        correlation_id: "event-1",
        ...about,
        timestamp: AT,
        projected_from: sample.type,
      },
    });
    expect(teacherNotificationSchema.safeParse(structuredClone(event.data)).success).toBe(true);
  });

  it("needs what it is about", async () => {
    const required = Object.keys(sample.data).filter(
      (field) => !["text_storage_id", ...(sample.optional ?? [])].includes(field),
    );
    expect(required).not.toEqual([]);
    for (const field of required) {
      const outcome = await projected(envelope(sample, { [field]: undefined }));
      expect(outcome).toMatchObject({ kind: "unreadable", reason: "invalid_event" });
      expect(outcome).toHaveProperty("detail", expect.stringContaining(`data.${field}: `));
    }
  });

  it("shows nothing that its service adds", async () => {
    const extra = { home_address: "12 Elm Road", internal_cost: 3, grades: ["A"] };
    const { payload } = eventOf(await projected(envelope(sample, extra))).data;
    expect(payload).toEqual(sample.payload);
  });
});

it.each(withSecondName)("%s is another name of the same event", async (secondType, sample) => {
  const event = eventOf(await projected(envelope(sample, {}, { event_type: secondType })));
  expect(event).toEqual(eventOf(await projected(envelope(sample))));
});

describe.each(withOptional)("%s without %s", (_name, field, sample) => {
  it.each([null, undefined])("(%s) tells the rest", async (value) => {
    const event = eventOf(await projected(envelope(sample, { [field]: value })));
    expect(event.data.payload).toEqual(without(sample.payload, field));
  });
});

describe("times", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ["2026-09-01T07:59:30", "2026-09-01T07:59:30.000Z"],
    ["2026-09-01T07:59:30.123456", "2026-09-01T07:59:30.123Z"],
    ["2026-09-01T09:59:30+02:00", "2026-09-01T07:59:30.000Z"],
    ["2026-09-01T07:59:30.5Z", "2026-09-01T07:59:30.5Z"],
    ["2026-09-01T07:59:30.123456789012Z", "2026-09-01T07:59:30.123Z"],
    ["2026-09-01T07:59", "2026-09-01T07:59:00.000Z"],
  ])("%s comes out in UTC, wherever the server stands", async (given, shown) => {
    vi.stubEnv("TZ", "America/New_York");
    const sample = sampleOf("batch_essays_ready");
    const { data } = eventOf(await projected(envelope(sample, { timestamp: given })));
    expect(data.timestamp).toBe(shown);
    expect(data.payload).toHaveProperty("timestamp", shown);
  });

  it("are the envelope's, else the record's, where the event has none", async () => {
    const sample = sampleOf("batch_essays_ready");
    const fromEnvelope = { event_timestamp: "2026-09-01T09:59:00+02:00" };
    const one = eventOf(await projected(envelope(sample, { timestamp: null }, fromEnvelope)));
    expect(one.data.timestamp).toBe("2026-09-01T07:59:00.000Z");
    expect(one.data.payload).toHaveProperty("timestamp", one.data.timestamp);
    const none = { event_timestamp: null };
    const other = eventOf(await projected(envelope(sample, { timestamp: null }, none)));
    expect(other.data.timestamp).toBe("2026-09-01T08:00:00.000Z");
  });

  it("that are none are named", async () => {
    const sample = sampleOf("batch_essays_ready");
    for (const timestamp of ["yesterday", "2026-02-30T00:00:00Z", 1_788_249_570]) {
      const outcome = await projected(envelope(sample, { timestamp }));
      expect(outcome).toMatchObject({ reason: "invalid_event" });
      expect(outcome).toHaveProperty("detail", expect.stringContaining("data.timestamp: "));
    }
  });
});

describe("validation errors", () => {
  const sample = sampleOf("batch_validation_errors");
  const shown = async (data: Record<string, unknown>) =>
    eventOf(await projected(envelope(sample, data))).data.payload;

  it("may come under their older name, and leave under the present one", async () => {
    const errors = sample.data["validation_errors"];
    for (const data of [
      { validation_errors: undefined, errors },
      { validation_errors: null, errors },
    ]) {
      expect(await shown(data)).toEqual(sample.payload);
    }
    expect(await shown({ errors: [] })).toEqual(sample.payload);
  });

  it("show what a person needs, and sentences as such", async () => {
    const payload = await shown({
      validation_errors: [
        {
          filename: "a.txt",
          code: null,
          message: "too short",
          raw_text: "Dear diary",
          path: "/srv",
        },
        "unreadable",
      ],
    });
    expect(payload["validation_errors"]).toEqual([
      { filename: "a.txt", message: "too short" },
      { message: "unreadable" },
    ]);
    expect(payload["error_count"]).toBe(2);
  });

  it("are all counted, and as many shown as a page takes", async () => {
    const many = Array.from({ length: 1_500 }, (_, index) => ({ message: `fault ${index}` }));
    const payload = await shown({ validation_errors: many });
    expect(payload["error_count"]).toBe(1_500);
    expect(payload["message"]).toBe("1500 validation errors require attention");
    expect(payload["validation_errors"]).toEqual(many.slice(0, 1_000));
  });

  it("are no alarm where there are none", async () => {
    const outcome = await projected(envelope(sample, { validation_errors: [] }));
    expect(outcome).toEqual({ kind: "skipped", reason: "not_worth_telling" });
  });
});

describe("suggested matches", () => {
  const sample = sampleOf("student_matches_suggested");

  it("show three fields each, whatever else was guessed", async () => {
    const suggested_matches = [
      { essay_id: "essay-1", suggested_student_id: null, confidence_score: 0.1, name: "A. Pupil" },
    ];
    const { payload } = eventOf(await projected(envelope(sample, { suggested_matches }))).data;
    expect(payload["suggested_matches"]).toEqual([{ essay_id: "essay-1", confidence_score: 0.1 }]);
    expect(payload["match_count"]).toBe(1);
  });

  it("lead to a page of this site whatever the batch is called", async () => {
    const data = { batch_id: "../a b?c#d" };
    const { payload } = eventOf(await projected(envelope(sample, data))).data;
    expect(payload["confirmation_url"]).toBe("/batches/..%2Fa%20b%3Fc%23d/confirm-matches");
  });

  it("ask for nothing where there are none", async () => {
    const outcome = await projected(envelope(sample, { suggested_matches: [] }));
    expect(outcome).toEqual({ kind: "skipped", reason: "not_worth_telling" });
  });
});

describe("names and texts for people", () => {
  it("are cut to what a page takes, never within a character", async () => {
    const { payload } = eventOf(
      await projected(
        envelope(sampleOf("batch_file_added"), { filename: `${"a".repeat(511)}😀.txt` }),
      ),
    ).data;
    expect(payload["filename"]).toBe("a".repeat(511));
    const failed = envelope(sampleOf("cj_assessment_failed"), { error_message: "e".repeat(9_000) });
    const { payload: of } = eventOf(await projected(failed)).data;
    expect(of["error_message"]).toBe("e".repeat(4_000));
  });

  it("may name the batch", async () => {
    const named = envelope(sampleOf("batch_essays_ready"), { batch_name: "Essay Batch 1" });
    expect(eventOf(await projected(named)).data.payload["batch_name"]).toBe("Essay Batch 1");
    const blank = envelope(sampleOf("batch_essays_ready"), { batch_name: "  " });
    expect(eventOf(await projected(blank)).data.payload).not.toHaveProperty("batch_name");
  });
});

describe("ids of the text store", () => {
  const sample = sampleOf("essay_slot_assigned");

  it("reach pages only where the installation says so", async () => {
    const exposed = await projected(envelope(sample), { EXPOSE_STORAGE_IDS: "true" });
    expect(eventOf(exposed).data.payload).toEqual({ ...sample.payload, text_storage_id: "text-1" });
  });

  it("never reach pages with another kind of event", async () => {
    for (const other of SAMPLES.filter(
      ({ notification }) => notification !== sample.notification,
    )) {
      const event = envelope(other, { text_storage_id: "text-1" });
      const { payload } = eventOf(await projected(event, { EXPOSE_STORAGE_IDS: "true" })).data;
      expect(payload).not.toHaveProperty("text_storage_id");
    }
  });
});

describe("a trace context", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("is handed on, and nothing else of the metadata", async () => {
    const metadata = { traceparent, tracestate: "a=1", internal_host: "db-3" };
    const event = eventOf(await projected(envelope(sampleOf("class_created"), {}, { metadata })));
    expect(event.metadata).toEqual({ traceparent, tracestate: "a=1" });
  });

  it.each([[null], [{}], [{ traceparent: "x" }], [{ traceparent: 1 }]])(
    "is left out where there is none (%j)",
    async (metadata) => {
      const event = eventOf(await projected(envelope(sampleOf("class_created"), {}, { metadata })));
      expect(event).not.toHaveProperty("metadata");
    },
  );
});

describe("an installation's own topic for teacher events", () => {
  it("is the type of what is published, without the prefix of all its topics", async () => {
    const env = { TEACHER_NOTIFICATION_TOPIC: "school.told.v1", KAFKA_TOPIC_PREFIX: "north." };
    const event = eventOf(await projected(envelope(sampleOf("class_created")), env));
    expect(z.string().parse(event.event_type)).toBe("school.told.v1");
  });
});
