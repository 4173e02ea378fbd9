/** Once a question is answered nobody is warned of its deadline, in whatever order all that is heard. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS, openWarnedScene, WARNING, type WarnedScene } from "./warned-scene.ts";

const QUESTION = "student_matching_confirmation_required";
const SUGGESTION = "student_matches_suggested";
const CONFIRMED = "student_associations_confirmed";
const ASSOCIATED = "batch_students_associated";
const MINUTE_MS = 60_000;

let scene: WarnedScene;

beforeAll(async () => {
  scene = await openWarnedScene();
});

afterAll(async () => {
  await scene.close();
});

/** Time passes between a question and its answer. */
const later = (): void => scene.clock.advance(5 * MINUTE_MS);

describe("an answer", () => {
  it.each([
    [QUESTION, CONFIRMED],
    [QUESTION, ASSOCIATED],
    [SUGGESTION, CONFIRMED],
    [SUGGESTION, ASSOCIATED],
  ])("to %s by %s cancels the warning", async (question, answer) => {
    const user = randomUUID();
    await scene.takeIn(scene.event(question, { user }));
    later();
    await scene.takeIn(scene.event(answer, { user }));
    const [warning] = await scene.warnings(user);
    expect(warning).toMatchObject({
      status: "cancelled",
      stage: null,
      request: null,
      channels: {
        websocket: { state: "skipped", reason: "not_needed" },
        push: { state: "skipped", reason: "not_needed" },
        sms: { state: "skipped", reason: "not_needed" },
      },
    });
    scene.clock.advance(30 * HOUR_MS);
    expect(await scene.ring()).not.toContain(warning?.id);
  });

  it("by a request cancels it as well", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event(QUESTION, { user }));
    const body = { user_id: user, template_id: ASSOCIATED, data: { student_count: 4 } };
    await scene.request({ ...body, batch_id: "batch-2" });
    expect(await scene.states(user)).toEqual(["scheduled"]);
    await scene.request({ ...body, batch_id: "batch-1" });
    expect(await scene.states(user)).toEqual(["cancelled"]);
  });

  it("to somebody else, or about another batch, cancels nothing", async () => {
    const user = randomUUID();
    const others = Array.from({ length: 60 }, () => randomUUID());
    await scene.takeIn(scene.event(QUESTION, { user }));
    later();
    await scene.takeIn(
      scene.event(CONFIRMED, { user, batch: "batch-2" }),
      ...others.map((other) => scene.event(CONFIRMED, { user: other })),
    );
    const { keyspace } = scene.store;
    expect(others.map((other) => keyspace.shardOfUser(other))).toContain(
      keyspace.shardOfUser(user),
    );
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("that is refused cancels nothing", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event(QUESTION, { user }));
    later();
    const wrong = scene.event(CONFIRMED, { user, payload: { confirmed_count: "many" } });
    expect(await scene.takeIn(wrong)).toEqual(["dead_lettered"]);
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("is heard though it comes in one go with its question, among many others", async () => {
    const { keyspace } = scene.store;
    // Of one shard, so that one script does not take them all.
    const users = Array.from({ length: 400 }, () => randomUUID())
      .filter((user) => keyspace.shardOfUser(user) === 1)
      .slice(0, 14);
    const at = scene.clock.now();
    scene.clock.advance(HOUR_MS);
    await scene.takeIn(
      ...users.map((user) => scene.event(QUESTION, { user, at })),
      ...users.map((user) => scene.event(CONFIRMED, { user })),
    );
    expect(users.length * 2).toBeGreaterThan(25);
    for (const user of users) expect(await scene.states(user)).toEqual(["cancelled"]);
  });

  it("that comes when the warning rings already lets it ring, once", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event(QUESTION, { user }));
    scene.clock.advance(20 * HOUR_MS);
    const [warning] = await scene.warnings(user);
    expect((await scene.ring()).filter((id) => id === warning?.id)).toHaveLength(1);
    await scene.takeIn(scene.event(CONFIRMED, { user }));
    expect(await scene.states(user)).toEqual(["queued"]);
  });

  it("that comes when the warning is due but not taken up wins", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event(QUESTION, { user }));
    scene.clock.advance(20 * HOUR_MS);
    await scene.takeIn(scene.event(CONFIRMED, { user }));
    const [warning] = await scene.warnings(user);
    expect(await scene.ring()).not.toContain(warning?.id);
    expect(warning?.status).toBe("cancelled");
  });
});

describe("a further question about the same batch", () => {
  it("has its warning in place of the one before", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event(QUESTION, { user }));
    later();
    await scene.takeIn(scene.event(SUGGESTION, { user, payload: { match_count: 2 } }));
    expect(await scene.states(user)).toEqual(["cancelled", "scheduled"]);
    later();
    await scene.takeIn(scene.event(CONFIRMED, { user }));
    expect(await scene.states(user)).toEqual(["cancelled", "cancelled"]);
  });

  it("after an answer is warned of again", async () => {
    const user = randomUUID();
    const events = [QUESTION, CONFIRMED, QUESTION].map((type) => scene.event(type, { user }));
    await scene.takeIn(...events);
    expect((await scene.states(user)).toSorted()).toEqual(["cancelled", "scheduled"]);
  });

  it("stays warned of when everything before it is delivered once more", async () => {
    const user = randomUUID();
    const first = scene.event(QUESTION, { user });
    later();
    const answer = scene.event(CONFIRMED, { user });
    later();
    const second = scene.event(QUESTION, { user });
    await scene.takeIn(first, answer, second);
    await scene.takeIn(first, answer);
    await scene.takeIn(answer, first, second);
    expect((await scene.states(user)).toSorted()).toEqual(["cancelled", "scheduled"]);
  });
});

describe("what arrives out of order", () => {
  it("an answer before its question: the question rings, no warning follows", async () => {
    const user = randomUUID();
    const question = scene.event(QUESTION, { user });
    later();
    const answer = scene.event(CONFIRMED, { user });
    expect(await scene.takeIn(answer, question)).toEqual(["accepted", "accepted"]);
    expect(await scene.warnings(user)).toEqual([]);
  });

  it("an answer to an earlier question leaves the warning of a later one", async () => {
    const user = randomUUID();
    const answer = scene.event(CONFIRMED, { user });
    later();
    await scene.takeIn(scene.event(QUESTION, { user }), answer);
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("an earlier question leaves the warning of a later one, and has none", async () => {
    const user = randomUUID();
    const earlier = scene.event(QUESTION, { user });
    later();
    await scene.takeIn(scene.event(QUESTION, { user }), earlier);
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("a question between two events that tell of its answer is not warned of", async () => {
    const user = randomUUID();
    const question = scene.event(QUESTION, { user });
    later();
    const [one, other] = [ASSOCIATED, CONFIRMED].map((type) =>
      scene.event(type, { user, correlation: "c-1" }),
    );
    if (one === undefined || other === undefined) throw new Error("two events were made");
    expect(await scene.takeIn(one, question, other)).toEqual([
      "accepted",
      "accepted",
      "deduplicated",
    ]);
    expect(await scene.warnings(user)).toEqual([]);
  });

  it("a new question between two events that tell of an earlier answer stays warned of", async () => {
    const user = randomUUID();
    const [one, other] = [ASSOCIATED, CONFIRMED].map((type) =>
      scene.event(type, { user, correlation: "c-1" }),
    );
    if (one === undefined || other === undefined) throw new Error("two events were made");
    later();
    await scene.takeIn(one, scene.event(QUESTION, { user }), other);
    expect(await scene.states(user)).toEqual(["scheduled"]);
  });

  it("clocks that differ by seconds do not keep an answer from being heard", async () => {
    const user = randomUUID();
    const at = scene.clock.now() - 30_000;
    await scene.takeIn(scene.event(QUESTION, { user }), scene.event(CONFIRMED, { user, at }));
    expect(await scene.states(user)).toEqual(["cancelled"]);
  });

  it("an answer that comes by a slow clock after another makes neither forgotten", async () => {
    const user = randomUUID();
    const now = scene.clock.now();
    await scene.takeIn(
      scene.event(CONFIRMED, { user, at: now }),
      scene.event(CONFIRMED, { user, at: now - 50_000 }),
      scene.event(QUESTION, { user, at: now - 100_000 }),
    );
    expect(await scene.warnings(user)).toEqual([]);
  });

  it("a service whose clock is hours fast does not outlast the answer", async () => {
    const user = randomUUID();
    const at = scene.clock.now() + 3 * HOUR_MS;
    await scene.takeIn(scene.event(QUESTION, { user, at }));
    later();
    await scene.takeIn(scene.event(CONFIRMED, { user }));
    expect(await scene.states(user)).toEqual(["cancelled"]);
  });
});

describe("any order, with any repetition", () => {
  it("leaves a warning exactly where the last thing said was a question", async () => {
    const words = fc.array(fc.constantFrom(QUESTION, SUGGESTION, CONFIRMED, ASSOCIATED), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(words, fc.infiniteStream(fc.nat({ max: 1_000 })), async (types, dice) => {
        const user = randomUUID();
        const records = types.map((type) => {
          later();
          return scene.event(type, { user });
        });
        const throwDice = (sides: number): number => (dice.next().value ?? 0) % sides;
        const shuffled = records
          .map((record) => ({ record, place: throwDice(1_000) }))
          .toSorted((one, other) => one.place - other.place)
          .map(({ record }) => record);
        const deliveries = [...shuffled, ...shuffled.filter(() => throwDice(3) === 0)];
        while (deliveries.length > 0) {
          await scene.takeIn(...deliveries.splice(0, 1 + throwDice(3)));
        }
        const waiting = (await scene.states(user)).filter((status) => status === "scheduled");
        const asked = types.at(-1) === QUESTION || types.at(-1) === SUGGESTION;
        expect(waiting).toHaveLength(asked ? 1 : 0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a warning that a service sends itself", () => {
  it("rings in place of the one that was scheduled", async () => {
    const user = randomUUID();
    await scene.takeIn(scene.event(QUESTION, { user }));
    scene.clock.advance(19 * HOUR_MS);
    const own = scene.event(WARNING, { user, payload: { hours_remaining: 5 } });
    expect(await scene.takeIn(own)).toEqual(["accepted"]);
    expect(await scene.states(user)).toEqual(["cancelled"]);
  });
});
