/** For whom the events of a stream are, as it teaches who owns what, and what becomes of the others. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOwnerIndex } from "../../src/projectors/owner-index.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { openIntake } from "./open-intake.ts";
import { envelope, newBatch, ready, READY, record } from "./records.ts";
import { sampleOf } from "./samples.ts";

const MATCHES = sampleOf("student_matches_suggested");

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(async () => {
  await store.close();
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

  it("is for nobody where only who added students to its class is known", async () => {
    const intake = openIntake(store);
    const class_id = newBatch();
    await intake.handle([
      record(envelope(sampleOf("student_created"), { class_id })),
      record(envelope(sampleOf("class_created"), { class_id, user_id: null })),
      record(envelope(sampleOf("class_created"), { class_id, user_id: "teacher-1" })),
      record(envelope(sampleOf("student_created"), { class_id, user_id: null })),
    ]);
    expect(intake.published().map(({ key }) => key)).toEqual([
      "teacher-7",
      "teacher-1",
      "teacher-1",
    ]);
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
