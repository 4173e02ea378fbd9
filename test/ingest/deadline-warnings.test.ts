/** A question about a batch brings its own warning, hours before its deadline. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import { HOUR_MS, openWarnedScene, WARNING, type WarnedScene } from "./warned-scene.ts";

const QUESTION = "student_matching_confirmation_required";

let scene: WarnedScene;

beforeAll(async () => {
  scene = await openWarnedScene();
});

afterAll(async () => {
  await scene.close();
});

const inHours = (hours: number): string =>
  new Date(scene.clock.now() + hours * HOUR_MS).toISOString();

function questionFor(user: string, changes: Record<string, unknown> = {}, hours = 10) {
  return {
    user_id: user,
    template_id: QUESTION,
    data: {
      batch_id: "batch-1",
      class_id: "class-7",
      unmatched_count: 3,
      deadline_timestamp: inHours(hours),
    },
    ...changes,
  };
}

describe("a question with a deadline", () => {
  it("schedules a warning four hours before it", async () => {
    const user = randomUUID();
    const now = scene.clock.now();
    await scene.request(questionFor(user));
    const [warning, ...others] = await scene.warnings(user);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({
      templateId: WARNING,
      notificationType: WARNING,
      status: "scheduled",
      sendAt: now + 6 * HOUR_MS,
      expiresAt: now + 10 * HOUR_MS,
      priority: "critical",
      request: {
        deadline: now + 10 * HOUR_MS,
        data: {
          batch_id: "batch-1",
          class_id: "class-7",
          hours_remaining: 4,
          deadline_timestamp: inHours(10),
        },
      },
    });
    expect(warning?.request?.data).not.toHaveProperty("unmatched_count");
  });

  it("is warned of when its time has come, and not before", async () => {
    const user = randomUUID();
    await scene.request(questionFor(user));
    const [warning] = await scene.warnings(user);
    scene.clock.advance(6 * HOUR_MS - 1);
    expect(await scene.ring()).not.toContain(warning?.id);
    scene.clock.advance(1);
    expect(await scene.ring()).toContain(warning?.id);
  });

  it("is warned of in the same words and by the same channels, as part of the same story", async () => {
    const user = randomUUID();
    const given = { locale: "sv", timezone: "Europe/Stockholm", phone_number: "+46701234567" };
    await scene.request(
      questionFor(user, {
        ...given,
        channels: ["websocket", "push"],
        notification_type: "author_check",
        correlation_id: "story-1",
        data: { unmatched_count: 1, batch_name: "Essay Batch 1", deadline_timestamp: inHours(9) },
        batch_id: "batch-8",
        class_id: "class-8",
      }),
    );
    const [warning] = await scene.warnings(user);
    expect(warning).toMatchObject({
      notificationType: WARNING,
      correlationId: "story-1",
      channels: { push: { state: "pending" }, sms: { state: "skipped", reason: "not_requested" } },
      request: {
        ...given,
        batch_id: "batch-8",
        data: { batch_id: "batch-8", batch_name: "Essay Batch 1" },
      },
    });
  });

  it("that names no story is told apart by its own id", async () => {
    const user = randomUUID();
    const asked = await scene.request(questionFor(user));
    const [warning] = await scene.warnings(user);
    expect(asked).toMatchObject({ kind: "accepted", id: warning?.correlationId });
  });

  it("needs no right of its sender's to be warned of", async () => {
    const user = randomUUID();
    const body = {
      user_id: user,
      template_id: "student_matches_suggested",
      data: {
        batch_id: "batch-1",
        class_id: "class-7",
        suggested_matches: [],
        confirmation_deadline: inHours(20),
      },
    };
    expect(await scene.request(body, ["notify:send:domain"])).toMatchObject({ kind: "accepted" });
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("that lacks what the warning could do without is warned of", async () => {
    const user = randomUUID();
    const payload = { batch_name: null, class_id: null };
    await scene.takeIn(scene.event(QUESTION, { user, payload }));
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("from a service that states none is warned of by the day that such questions have", async () => {
    const user = randomUUID();
    const at = scene.clock.now() - HOUR_MS;
    await scene.takeIn(scene.event(QUESTION, { user, at }));
    expect((await scene.warnings(user))[0]?.sendAt).toBe(at + 20 * HOUR_MS);
  });

  it("is warned of once, however often it is asked", async () => {
    const user = randomUUID();
    const body = questionFor(user, { event_id: randomUUID() });
    await scene.request(body);
    await scene.request(body);
    const record = scene.event(QUESTION, { user, batch: "batch-2" });
    await scene.takeIn(record, record);
    await scene.takeIn(record);
    expect(await scene.states(user)).toEqual(["scheduled", "scheduled"]);
  });

  it("and its twin from a projector bring one warning between them", async () => {
    for (const types of [
      [QUESTION, "student_matches_suggested"],
      ["student_matches_suggested", QUESTION],
    ]) {
      const user = randomUUID();
      const events = types.map((type) => scene.event(type, { user, correlation: "c-1" }));
      expect(await scene.takeIn(...events)).toEqual(["accepted", "deduplicated"]);
      expect(await scene.states(user)).toEqual(["scheduled"]);
    }
  });
});

describe("no warning comes", () => {
  it.each([
    ["of a deadline that is four hours ahead or less", () => ({}), 4],
    ["of one that is beyond what can be scheduled", () => ({}), 400 * 24],
    ["where the question is itself asked later", () => ({ send_at: inHours(6) }), 10],
    ["where its sender wants nothing sent so late", () => ({ expires_at: inHours(6) }), 10],
  ])("%s", async (_what, changes, hours) => {
    const user = randomUUID();
    const answer = await scene.request(questionFor(user, changes(), hours));
    expect(answer).toMatchObject({ kind: "accepted" });
    expect(await scene.warnings(user)).toEqual([]);
  });

  it("of a batch that an event does not name", async () => {
    const user = randomUUID();
    const record = scene.event(QUESTION, { user, payload: { batch_id: null } });
    expect(await scene.takeIn(record)).toEqual(["accepted"]);
    expect(await scene.warnings(user)).toEqual([]);
  });

  it("of what is refused", async () => {
    const user = randomUUID();
    const refused = await scene.request(questionFor(user), ["notify:send:iep"]);
    expect(refused).toMatchObject({ kind: "refused" });
    expect(await scene.warnings(user)).toEqual([]);
  });

  it("of a notification that asks nothing, and nothing is remembered of it", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event("batch_spellcheck_completed", { user }));
    expect(await scene.warnings(user)).toEqual([]);
  });
});

it("asks nothing more of Redis where it is off", async () => {
  const written: NewNote[] = [];
  const accept = scene.acceptWith({
    ledger: {
      async accept(notes) {
        written.push(...notes);
        return notes.map(() => "created");
      },
      depth: async () => 0,
    },
  });
  const records = [QUESTION, "student_associations_confirmed", WARNING].map((type) =>
    scene.event(type, { user: randomUUID() }),
  );
  await scene.take(records, scene.intake({ accept }));
  expect(written).toHaveLength(3);
  for (const note of written) expect(note).not.toHaveProperty("matter");
});
