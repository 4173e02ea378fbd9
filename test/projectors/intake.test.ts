/** What becomes of chunks of domain events: each one told, skipped or put aside, and none lost. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRedisUnavailable } from "../../src/platform/redis-failure.ts";
import { createOwnerIndex } from "../../src/projectors/owner-index.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { DEAD_LETTER_TOPIC, openIntake, TEACHER_TOPIC } from "./open-intake.ts";
import { envelope, NOW_MS, record } from "./records.ts";
import { sampleOf, SAMPLES } from "./samples.ts";

const READY = sampleOf("batch_essays_ready");
const MATCHES = sampleOf("student_matches_suggested");
const DAY_MS = 86_400_000;

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(async () => {
  await store.close();
});

/** A batch that no other test speaks of. */
function newBatch(): string {
  return `batch-${randomBytes(4).toString("hex")}`;
}

function ready(batch_id: string, data: Record<string, unknown> = {}, fields = {}) {
  return record(envelope(READY, { batch_id, ...data }, fields));
}

const at = (ms: number): string => new Date(ms).toISOString();

describe("a chunk", () => {
  it("goes out in its order, in one piece, each event under its teacher's key", async () => {
    const intake = openIntake(store);
    const batches = Array.from({ length: 30 }, newBatch);
    await intake.handle(
      batches.map((batch, index) =>
        ready(batch, { user_id: `teacher-${index % 3}` }, { event_id: `event-${index}` }),
      ),
    );
    expect(intake.sends).toHaveLength(1);
    expect(intake.published().map(({ key, event }) => [key, event.event_id])).toEqual(
      batches.map((_batch, index) => [`teacher-${index % 3}`, `event-${index}`]),
    );
    expect(intake.published().map(({ event }) => event.data.teacher_id)).toEqual(
      batches.map((_batch, index) => `teacher-${index % 3}`),
    );
  });

  it("of every kind of event is told, and says who, what and why in the log", async () => {
    const intake = openIntake(store);
    const ids = { batch_id: newBatch(), class_id: newBatch() };
    const chunk = SAMPLES.map((sample, index) => {
      const own = Object.fromEntries(Object.entries(ids).filter(([name]) => name in sample.data));
      return record(envelope(sample, own, { event_id: `event-${index}` }));
    });
    await intake.handle(chunk);
    expect(intake.published().map(({ event }) => event.data.notification_type)).toEqual(
      SAMPLES.map(({ notification }) => notification),
    );
    expect(intake.outcomes).toEqual(SAMPLES.map(({ type }) => [type, { outcome: "projected" }]));
    const lines = intake.log.filter(({ msg }) => msg === "projector.published");
    expect(lines).toHaveLength(SAMPLES.length);
    expect(lines[0]).toMatchObject({
      teacher_id: "teacher-7",
      notification_type: "batch_file_added",
      correlation_id: "event-0",
    });
    const logged = JSON.stringify(intake.log);
    for (const private_ of ["essay one.txt", "fewer than 50 words", "Class 9A", "no answer"]) {
      expect(logged).not.toContain(private_);
    }
  });

  it("with something unusable at any place tells the rest", async () => {
    const intake = openIntake(store);
    const foreign = newBatch();
    await intake.owners.put({ kind: "batch", id: foreign, userId: "teacher-other" });
    const unusable: [bad: ReturnType<typeof record>, reason: string][] = [
      [record("{"), "invalid_json"],
      [record(Buffer.of(0xff)), "invalid_json"],
      [record({ event_type: "huleedu.weather.changed.v1", data: {} }), "unknown_event_type"],
      [ready(newBatch(), { essay_count: "25" }), "invalid_event"],
      [ready(foreign), "ownership_mismatch"],
      [
        { ...ready(newBatch(), { timestamp: null }, { event_timestamp: null }), timestamp: 9e15 },
        "poison",
      ],
    ];
    const good = unusable.map((_bad, index) =>
      ready(newBatch(), {}, { event_id: `good-${index}` }),
    );
    await intake.handle(
      unusable.flatMap(([bad], index) => {
        const next = good[index];
        return next === undefined ? [bad] : [bad, next];
      }),
    );
    expect(intake.published().map(({ event }) => event.event_id)).toEqual(
      unusable.map((_bad, index) => `good-${index}`),
    );
    expect(intake.deadLetters().map(({ reason }) => reason)).toEqual(
      unusable.map(([, reason]) => reason),
    );
    expect(intake.deadLetters().map(({ value }) => value)).toEqual(
      unusable.map(([bad]) => bad.value),
    );
    expect(intake.warnings()).toHaveLength(unusable.length);
  });

  it("of nothing but tombstones leaves no trace outside the log", async () => {
    const intake = openIntake(store);
    await intake.handle([record(null), record(null)]);
    expect(intake.sends).toEqual([]);
    expect(intake.audit).toEqual([]);
    expect(intake.warnings()).toEqual([]);
    expect(intake.outcomes).toEqual([
      ["unknown", { outcome: "skipped", reason: "tombstone" }],
      ["unknown", { outcome: "skipped", reason: "tombstone" }],
    ]);
  });
});

describe("an event without a user", () => {
  it("is for whom an earlier event of its chunk named as the batch's owner", async () => {
    const intake = openIntake(store);
    const batch = newBatch();
    await intake.handle([ready(batch, { user_id: "teacher-1" }), ready(batch, { user_id: null })]);
    expect(intake.published().map(({ key }) => key)).toEqual(["teacher-1", "teacher-1"]);
  });

  it("is for whom another process learnt to be the owner, or an administrator named", async () => {
    const batch = newBatch();
    await openIntake(store).handle([ready(batch, { user_id: "teacher-1" })]);
    const intake = openIntake(store);
    await intake.handle([ready(batch, { user_id: undefined })]);
    await createOwnerIndex(store).put({ kind: "batch", id: batch, userId: "teacher-2" });
    await intake.handle([ready(batch, { user_id: undefined })]);
    expect(intake.published().map(({ key }) => key)).toEqual(["teacher-1", "teacher-2"]);
  });

  it("is for its class's owner, where its batch is new", async () => {
    const intake = openIntake(store);
    const ids = { batch_id: newBatch(), class_id: newBatch() };
    await intake.handle([
      record(envelope(sampleOf("class_created"), { class_id: ids.class_id })),
      record(envelope(MATCHES, { ...ids, user_id: null })),
    ]);
    expect(intake.published().map(({ key }) => key)).toEqual(["teacher-7", "teacher-7"]);
  });

  it("is for nobody where no owner is known: a warning, and a line in the audit trail", async () => {
    const intake = openIntake(store);
    const batch = newBatch();
    await intake.handle([ready(batch, { user_id: null })]);
    expect(intake.sends).toEqual([]);
    expect(intake.warnings()).toEqual([
      expect.objectContaining({ msg: "No teacher found for event event-1", batch_id: batch }),
    ]);
    expect(intake.audit).toEqual([
      {
        action: "skipped",
        code: "no_owner",
        caller: "projector",
        user_id: undefined,
        template_id: "batch_essays_ready",
      },
    ]);
    expect(intake.outcomes).toEqual([[READY.type, { outcome: "skipped", reason: "no_owner" }]]);
  });
});

describe("an event that names a user who does not own its batch", () => {
  it("reaches neither, is put aside, audited and counted, and teaches nothing", async () => {
    const intake = openIntake(store);
    const batch = newBatch();
    await intake.handle([ready(batch, { user_id: "teacher-1" })]);
    await intake.handle([ready(batch, { user_id: "teacher-2" })]);
    await intake.handle([ready(batch, { user_id: null })]);
    expect(intake.published().map(({ key }) => key)).toEqual(["teacher-1", "teacher-1"]);
    expect(intake.deadLetters()).toMatchObject([
      { reason: "ownership_mismatch", detail: "the batch belongs to another user" },
    ]);
    expect(intake.audit).toEqual([
      {
        action: "dead_lettered",
        code: "ownership_mismatch",
        caller: "projector",
        user_id: "teacher-2",
        template_id: "batch_essays_ready",
      },
    ]);
    expect(intake.mismatches).toEqual([READY.type]);
  });
});

describe("an old event", () => {
  const old = { timestamp: at(NOW_MS - DAY_MS - 1) };

  it("is not told, whichever of its times says so", async () => {
    const intake = openIntake(store);
    const chunk = [
      ready(newBatch(), old),
      ready(newBatch(), { timestamp: null }, { event_timestamp: old.timestamp }),
      {
        ...ready(newBatch(), { timestamp: null }, { event_timestamp: null }),
        timestamp: NOW_MS - DAY_MS - 1,
      },
    ];
    await intake.handle(chunk);
    expect(intake.sends).toEqual([]);
    const stale = { outcome: "skipped", reason: "stale" };
    expect(intake.outcomes).toEqual(chunk.map(() => [READY.type, stale]));
    expect(intake.audit).toEqual([
      {
        action: "skipped",
        code: "stale",
        caller: "projector",
        user_id: "teacher-7",
        template_id: "batch_essays_ready",
        count: 3,
      },
    ]);
  });

  it("is told up to its age, and while its deadline is ahead", async () => {
    const intake = openIntake(store);
    const suggestion = (deadline: number) =>
      record(
        envelope(MATCHES, {
          ...old,
          batch_id: newBatch(),
          class_id: newBatch(),
          confirmation_deadline: at(deadline),
        }),
      );
    await intake.handle([
      ready(newBatch(), { timestamp: at(NOW_MS - DAY_MS) }),
      suggestion(NOW_MS + 1),
      suggestion(NOW_MS),
    ]);
    expect(intake.outcomes.map(([, { outcome }]) => outcome)).toEqual([
      "projected",
      "projected",
      "skipped",
    ]);
  });

  it("teaches who owns its batch all the same", async () => {
    const intake = openIntake(store);
    const batch = newBatch();
    await intake.handle([ready(batch, old), ready(batch, { user_id: null })]);
    expect(intake.published().map(({ key }) => key)).toEqual(["teacher-7"]);
  });

  it("is as old as the installation says", async () => {
    const intake = openIntake(store, { MAX_EVENT_AGE_SECONDS: "60" });
    await intake.handle([
      ready(newBatch(), { timestamp: at(NOW_MS - 60_000) }),
      ready(newBatch(), { timestamp: at(NOW_MS - 60_001) }),
    ]);
    expect(intake.published()).toHaveLength(1);
  });
});

describe("when something is away", () => {
  it.each([TEACHER_TOPIC, DEAD_LETTER_TOPIC])(
    "and %s cannot be written, the chunk is not done, and done when it comes again",
    async (topic) => {
      const intake = openIntake(store);
      const chunk = [ready(newBatch()), record("{")];
      intake.fail(topic);
      await expect(intake.handle(chunk)).rejects.toThrow("no broker");
      expect(intake.outcomes).toEqual([]);
      intake.fail(undefined);
      await intake.handle(chunk);
      expect(intake.published().at(-1)?.event.event_id).toBe("event-1");
      expect(intake.deadLetters()).toHaveLength(1);
      expect(intake.outcomes).toHaveLength(2);
    },
  );

  it("and it is Redis, the chunk is not done and nothing is told", async () => {
    const away = await openTestRedis();
    const intake = openIntake(away);
    await away.close();
    await expect(intake.handle([ready(newBatch())])).rejects.toSatisfy(isRedisUnavailable);
    expect(intake.sends).toEqual([]);
    expect(intake.outcomes).toEqual([]);
  });
});

describe("an installation with a prefix", () => {
  it("publishes under it, and names the type without it", async () => {
    const intake = openIntake(store, { KAFKA_TOPIC_PREFIX: "north." });
    await intake.handle([ready(newBatch())]);
    expect(intake.sends.map(({ topic }) => topic)).toEqual([`north.${TEACHER_TOPIC}`]);
    const [sent] = intake.sends.flatMap(({ records }) => records);
    expect(JSON.parse(String(sent?.value))).toMatchObject({ event_type: TEACHER_TOPIC });
  });
});
