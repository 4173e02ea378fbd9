/** Which events are too old to be told, and what they are still good for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { openIntake } from "./open-intake.ts";
import { envelope, newBatch, NOW_MS, ready, READY, record } from "./records.ts";
import { sampleOf } from "./samples.ts";

const MATCHES = sampleOf("student_matches_suggested");
const DAY_MS = 86_400_000;

const at = (ms: number): string => new Date(ms).toISOString();

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(async () => {
  await store.close();
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

  it("is told when an operator had it read once more, and says so to who reads it next", async () => {
    const intake = openIntake(store);
    const headers = { "redriven-from": Buffer.from("dead-letters/0/7") };
    await intake.handle([{ ...ready(newBatch(), old), headers }, ready(newBatch(), old)]);
    expect(intake.published()).toHaveLength(1);
    expect(intake.sends[0]?.records[0]?.headers).toEqual(headers);
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
