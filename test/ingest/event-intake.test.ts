/** Records of the topics, each with its outcome, against a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import {
  batchCompleted,
  envelopeOf,
  GENERAL_TOPIC,
  openIntakeScene,
  OTHER_TEACHER_TOPIC,
  recordOf,
  type IntakeScene,
} from "./intake-scene.ts";

let scene: IntakeScene;
let users = 0;

beforeAll(async () => {
  scene = await openIntakeScene();
});

afterAll(async () => {
  await scene.close();
});

beforeEach(() => {
  for (const list of [scene.deadLetters, scene.audited, scene.outcomes, scene.queued]) {
    list.length = 0;
  }
  scene.owners.clear();
});

const someone = (): string => {
  users += 1;
  return `teacher-${users}`;
};
const record = (value: unknown, place: Partial<KafkaRecord> = {}): KafkaRecord =>
  recordOf(value, { timestamp: scene.clock.now(), ...place });
const request = (value: unknown): KafkaRecord => record(value, { topic: GENERAL_TOPIC });
const ago = (hours: number): string =>
  new Date(scene.clock.now() - hours * 3_600_000).toISOString();
const kinds = (outcomes: readonly { kind: string; reason?: string }[]): string[] =>
  outcomes.map(({ kind, reason }) => (reason === undefined ? kind : `${kind} ${reason}`));
const announcementFor = (user_id: string, changes: object = {}) => ({
  user_id,
  template_id: "announcement",
  data: { title: "Hello", body: "The bell rings at eight." },
  ...changes,
});

describe("a teacher event", () => {
  it("becomes the notification of its teacher", async () => {
    expect(kinds(await scene.take([record(envelopeOf(batchCompleted()))]))).toEqual(["accepted"]);
    const [note] = await scene.notes();
    expect(note).toMatchObject({
      userId: "teacher-123",
      templateId: "batch_processing_completed",
      notificationType: "batch_processing_completed",
      priority: "high",
      lane: "normal",
      status: "queued",
      callerId: "kafka",
      request: {
        category: "batch_progress",
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
      },
    });
    expect(scene.queued).toEqual([note?.id]);
  });

  it("is one notification on both topics and as a request with its id", async () => {
    const user = someone();
    const event = envelopeOf(batchCompleted({ teacher_id: user }), {
      event_id: `event-of-${user}`,
    });
    const outcomes = await scene.take([
      record(event),
      record(event, { topic: OTHER_TEACHER_TOPIC }),
    ]);
    expect(kinds(outcomes)).toEqual(["accepted", "repeated"]);
    const again = await scene.take([
      request({
        user_id: user,
        template_id: "batch_processing_completed",
        data: { batch_id: "batch-456", status: "completed" },
        event_id: `event-of-${user}`,
      }),
    ]);
    expect(kinds(again)).toEqual(["repeated"]);
    expect(await scene.notes()).toHaveLength(1);
    expect(scene.queued.filter((id, at, all) => all.indexOf(id) === at)).toHaveLength(1);
  });

  it("may raise what it tells to critical", async () => {
    await scene.take([record(batchCompleted({ teacher_id: someone(), priority: "critical" }))]);
    expect(await scene.notes()).toMatchObject([{ priority: "critical", lane: "urgent" }]);
  });

  it("may lack what its template asks for, and hold null", async () => {
    const user = someone();
    const outcomes = await scene.take([
      record(batchCompleted({ teacher_id: user, payload: {} })),
      record(batchCompleted({ teacher_id: user, payload: { batch_id: null, status: null } })),
    ]);
    expect(kinds(outcomes)).toEqual(["accepted", "accepted"]);
  });

  it("is put aside when a field has the wrong type", async () => {
    const outcomes = await scene.take([record(batchCompleted({ payload: { batch_id: 7 } }))]);
    expect(kinds(outcomes)).toEqual(["dead_lettered invalid_event"]);
    expect(scene.deadLetters[0]?.detail).toContain("data.batch_id");
  });

  it("is put aside when another notification has its event id", async () => {
    const event = envelopeOf(batchCompleted({ teacher_id: someone() }));
    const other = { ...event, data: batchCompleted({ teacher_id: someone() }) };
    const outcomes = await scene.take([record(event), record(other)]);
    expect(kinds(outcomes)).toEqual(["accepted", "dead_lettered idempotency_conflict"]);
  });

  it("carries its trace context to the note", async () => {
    const traceparent = "00-8247720201ef0267b55cbc8c6948c14d-dc65e457d6f86584-01";
    const data = batchCompleted({ teacher_id: someone() });
    await scene.take([record(envelopeOf(data, { metadata: { traceparent } }))]);
    expect(await scene.notes()).toMatchObject([{ request: { traceparent } }]);
  });
});

describe("a record of the general topic", () => {
  it("is taken as a request would be", async () => {
    const user = someone();
    const outcomes = await scene.take([request(announcementFor(user, { priority: "low" }))]);
    expect(kinds(outcomes)).toEqual(["accepted"]);
    expect(await scene.notes()).toMatchObject([{ userId: user, lane: "bulk", family: "general" }]);
  });

  it("is held to its template as a request is", async () => {
    const outcomes = await scene.take([
      request({ user_id: someone(), template_id: "announcement", data: { title: "No body" } }),
      request({ user_id: someone(), template_id: "nothing" }),
      request({ user_id: "a:b", template_id: "announcement" }),
      request(envelopeOf(batchCompleted())),
    ]);
    expect(new Set(kinds(outcomes))).toEqual(new Set(["dead_lettered invalid_request"]));
    expect(scene.deadLetters.map(({ detail }) => detail)).toEqual([
      expect.stringContaining("data.body"),
      expect.stringContaining("nothing"),
      expect.stringContaining("user_id"),
      expect.stringContaining("user_id"),
    ]);
  });

  it("is one when it is delivered again, and two when it was asked for twice", async () => {
    const body = announcementFor(someone());
    const [first, second] = [request(body), request(body)];
    expect(kinds(await scene.take([first, second]))).toEqual(["accepted", "accepted"]);
    expect(kinds(await scene.take([first, second]))).toEqual(["repeated", "repeated"]);
    expect(await scene.notes()).toHaveLength(2);
  });

  it("is skipped once its sender wants it no more", async () => {
    const late = request(announcementFor(someone(), { expires_at: ago(1) }));
    expect(kinds(await scene.take([late]))).toEqual(["skipped expired"]);
  });
});

describe("an old event", () => {
  it("is skipped and audited, by its own time, else its envelope's, else its record's", async () => {
    const old = { teacher_id: someone(), timestamp: ago(25) };
    const user = someone();
    const outcomes = await scene.take([
      record(batchCompleted(old)),
      record(batchCompleted(old)),
      record(envelopeOf(batchCompleted({ teacher_id: user }), { event_timestamp: ago(25) })),
      record(batchCompleted({ teacher_id: user }), { timestamp: scene.clock.now() - 90_000_000 }),
      request(announcementFor(user, {})),
      record(announcementFor(user), { topic: GENERAL_TOPIC, timestamp: Date.parse(ago(25)) }),
    ]);
    const stale = "skipped stale";
    expect(kinds(outcomes)).toEqual([stale, stale, stale, stale, "accepted", stale]);
    const about = { action: "skipped", code: "stale", caller: "kafka" };
    const template_id = "batch_processing_completed";
    expect(scene.audited).toEqual([
      { ...about, user_id: old.teacher_id, template_id, count: 2 },
      { ...about, user_id: user, template_id, count: 2 },
      { ...about, user_id: user, template_id: "announcement" },
    ]);
    expect(scene.deadLetters).toEqual([]);
  });

  it("is still told while its deadline, or the time it was scheduled for, is ahead", async () => {
    const event = {
      notification_type: "student_matching_confirmation_required",
      priority: "critical",
      payload: {},
      timestamp: ago(30),
    };
    const outcomes = await scene.take([
      record(batchCompleted({ ...event, teacher_id: someone(), deadline_timestamp: ago(-1) })),
      record(batchCompleted({ ...event, teacher_id: someone(), deadline_timestamp: ago(1) })),
      record(announcementFor(someone(), { send_at: ago(-1) }), {
        topic: GENERAL_TOPIC,
        timestamp: Date.parse(ago(30)),
      }),
    ]);
    expect(kinds(outcomes)).toEqual(["accepted", "skipped stale", "accepted"]);
  });

  it("is told when an operator had it read once more", async () => {
    const old = record(batchCompleted({ teacher_id: someone(), timestamp: ago(25) }));
    const headers = { "redriven-from": Buffer.from("dead-letters/0/7") };
    expect(kinds(await scene.take([{ ...old, headers }]))).toEqual(["accepted"]);
  });

  it("is as old as the installation allows", async () => {
    const young = record(batchCompleted({ teacher_id: someone(), timestamp: ago(2) }));
    const handler = scene.intake({ maxEventAgeMs: 3_600_000 });
    expect(kinds(await scene.take([young], handler))).toEqual(["skipped stale"]);
    expect(kinds(await scene.take([young]))).toEqual(["accepted"]);
  });
});

describe("ownership", () => {
  const about = (user: string, batch_id: string, class_id?: string) =>
    record(batchCompleted({ teacher_id: user, payload: { batch_id }, class_id }));

  it("keeps from a teacher what is known to be another's, and leaves a trace of it", async () => {
    const [anna, bo] = [someone(), someone()];
    scene.owners.set("batch:b1", anna).set("class:c1", bo);
    const outcomes = await scene.take([
      about(anna, "b1"),
      about(bo, "b1"),
      about(anna, "b1", "c1"),
      about(anna, "b2", "c1"),
      about(bo, "b2", "c1"),
    ]);
    const foreign = "dead_lettered ownership_mismatch";
    expect(kinds(outcomes)).toEqual(["accepted", foreign, foreign, foreign, "accepted"]);
    expect(scene.audited[0]).toMatchObject({
      action: "dead_lettered",
      code: "ownership_mismatch",
      user_id: bo,
    });
    expect(await scene.notes()).toMatchObject([{ userId: anna }, { userId: bo }]);
  });

  it("is trusted where nobody knows, unless the installation is strict", async () => {
    const teacher = someone();
    scene.owners.set("class:c9", teacher).set("batch:b8", teacher);
    expect(kinds(await scene.take([about(someone(), "b9")]))).toEqual(["accepted"]);
    expect(kinds(await scene.take([about(teacher, "b9", "c9")]))).toEqual(["accepted"]);
    const strict = scene.intake({ strictOwnership: true });
    const outcomes = await scene.take(
      [
        about(someone(), "b9"),
        about(teacher, "b9", "c9"),
        about(teacher, "b8", "c8"),
        about(teacher, "b8", "c9"),
        about(someone(), "b9", "c9"),
        record(batchCompleted({ teacher_id: someone(), payload: {} })),
      ],
      strict,
    );
    const unknown = "dead_lettered owner_unknown";
    const foreign = "dead_lettered ownership_mismatch";
    expect(kinds(outcomes)).toEqual([unknown, unknown, unknown, "accepted", foreign, "accepted"]);
  });

  it("is not asked about requests of the general topic", async () => {
    scene.owners.set("batch:b5", "somebody-else");
    const outcomes = await scene.take([request(announcementFor(someone(), { batch_id: "b5" }))]);
    expect(kinds(outcomes)).toEqual(["accepted"]);
  });
});
