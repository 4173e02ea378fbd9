/** What becomes of chunks of domain events: each one told, skipped or put aside, and none lost. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import { isRedisUnavailable } from "../../src/platform/redis-failure.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { DEAD_LETTER_TOPIC, openIntake, TEACHER_TOPIC } from "./open-intake.ts";
import { envelope, newBatch, ready, record } from "./records.ts";
import { SAMPLES } from "./samples.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(async () => {
  await store.close();
});

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
    for (const words of ["essay one.txt", "fewer than 50 words", "Class 9A", "no answer"]) {
      expect(logged).not.toContain(words);
    }
  });

  /** Fails where nothing should, as a bug would make it; its bytes can still be put aside. */
  function brokenOnce(whole: KafkaRecord): KafkaRecord {
    let broken = true;
    return {
      ...whole,
      get headers() {
        if (!broken) return whole.headers;
        broken = false;
        throw new TypeError("a bug");
      },
    };
  }

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
        "invalid_event",
      ],
      [brokenOnce(ready(newBatch())), "poison"],
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
