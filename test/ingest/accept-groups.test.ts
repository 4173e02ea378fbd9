/** Requests that come together are taken together, and each caller hears of its own alone. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Accept, AcceptOptions } from "../../src/ingest/accept.ts";
import { createGroups, MAX_WAITING } from "../../src/ingest/accept-groups.ts";
import type { Submission } from "../../src/ingest/submission.ts";
import { notificationRequestSchema } from "../../src/contract/notification-request.ts";
import { openIntakeScene, type IntakeScene } from "./intake-scene.ts";

/** More than are taken in one group. */
const MANY = 450;
const CALLER = { userId: "service-1", scopes: new Set(["notify:send"]), expiresAt: 1e15 };

let scene: IntakeScene;

beforeAll(async () => {
  scene = await openIntakeScene();
});

afterAll(async () => {
  await scene.close();
});

function submissionFor(userId: string, changes: Partial<Submission> = {}): Submission {
  const request = notificationRequestSchema.parse({
    user_id: userId,
    template_id: "announcement",
    data: { title: "Room change", body: "Mathematics 7B meets in room 214." },
  });
  return { request, idempotencyKey: undefined, ...changes };
}

function range<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

/** A ledger that fails with whatever holds a note for `bad`, once it has taken what else is there. */
function failingLedger(fault: Error, calls: number[] = []): AcceptOptions["ledger"] {
  return {
    depth: () => scene.ledger.depth(),
    async accept(notes) {
      calls.push(notes.length);
      const good = notes.filter(({ userId }) => !userId.startsWith("bad"));
      const results = await scene.ledger.accept(good);
      if (good.length < notes.length) throw fault;
      return results;
    },
  };
}

async function idOf(accept: Accept, submission: Submission, caller = CALLER): Promise<string> {
  const [result] = await accept([submission], caller);
  if (result?.kind !== "accepted") throw new Error(`not accepted: ${result?.kind}`);
  return result.id;
}

describe("requests that come together", () => {
  it("share their trips to Redis, and each gets its own notification", async () => {
    const calls: number[] = [];
    const ledger = failingLedger(new Error("unused"), calls);
    const accept = scene.acceptWith({ ledger });
    const users = range(MANY, (at) => `teacher-${at}`);
    const ids = await Promise.all(users.map((user) => idOf(accept, submissionFor(user))));
    const notes = await scene.ledger.fetch(ids);
    expect(ids.map((id) => notes.get(id)?.userId)).toEqual(users);
    expect(calls.length).toBeLessThan(10);
    expect(Math.max(...calls)).toBeLessThan(MANY);
  });

  it("belong each to the one who sent it, and refuse nobody for another", async () => {
    const accept = scene.acceptWith({});
    const mayNothing = { ...CALLER, userId: "service-2", scopes: new Set<string>() };
    const other = { ...CALLER, userId: "service-3" };
    const key = { idempotencyKey: "same-key" };
    const [first, second, refused, theirs] = await Promise.all([
      accept([submissionFor("teacher-a", key)], CALLER),
      accept([submissionFor("teacher-b", key)], CALLER),
      accept([submissionFor("teacher-c")], mayNothing),
      accept([submissionFor("teacher-d", key)], other),
    ]);
    expect(first).toMatchObject([{ kind: "accepted", repeated: false }]);
    expect(second).toMatchObject([{ kind: "refused", problem: { code: "idempotency_conflict" } }]);
    expect(refused).toMatchObject([{ kind: "refused", problem: { code: "forbidden" } }]);
    expect(theirs).toMatchObject([
      { kind: "accepted", created: { callerId: "service-3", userId: "teacher-d" } },
    ]);
  });

  it("tell only those who wait for them", async () => {
    const accept = scene.acceptWith({});
    const expected: string[] = [];
    const replyTo = { node: "node-1", expect: (id: string) => void expected.push(id) };
    const [quiet, waited] = await Promise.all([
      idOf(accept, submissionFor("teacher-1")),
      accept([submissionFor("teacher-2")], CALLER, replyTo),
    ]);
    expect(waited).toMatchObject([{ id: expected[0] }]);
    expect(expected).not.toContain(quiet);
  });

  it("are queued in the order in which they came", async () => {
    const accept = scene.acceptWith({});
    const from = scene.queued.length;
    const ids = await Promise.all(range(MANY, () => idOf(accept, submissionFor("teacher-1"))));
    expect(scene.queued.slice(from)).toEqual(ids);
  });
});

describe("one that nothing can be done with", () => {
  it("fails alone; the others are accepted, once each", async () => {
    const fault = new Error("ERR user_script:7: attempt to compare nil with number");
    const accepted: string[] = [];
    const accept = scene.acceptWith({
      ledger: failingLedger(fault),
      onAccepted: (family) => void accepted.push(family),
    });
    const before = await scene.ledger.depth();
    const users = range(60, (at) => (at === 37 ? "bad-1" : `teacher-${at}`));
    const results = await Promise.allSettled(
      users.map((user) => accept([submissionFor(user)], CALLER)),
    );
    expect(results[37]).toEqual({ status: "rejected", reason: fault });
    const fine = results.filter((_, at) => at !== 37);
    for (const result of fine) {
      expect(result).toMatchObject({ value: [{ kind: "accepted", repeated: false }] });
    }
    expect(await scene.ledger.depth()).toBe(before + fine.length);
    expect(accepted).toHaveLength(fine.length);
  });

  it("does not make the key of another count as used", async () => {
    const accept = scene.acceptWith({ ledger: failingLedger(new Error("its own fault")) });
    const [bad, good] = await Promise.allSettled([
      accept([submissionFor("bad-2")], CALLER),
      accept([submissionFor("teacher-1", { idempotencyKey: "kept" })], CALLER),
    ]);
    expect(bad.status).toBe("rejected");
    expect(good).toMatchObject({ value: [{ kind: "accepted", repeated: false }] });
    const again = await accept([submissionFor("teacher-1", { idempotencyKey: "kept" })], CALLER);
    expect(again).toMatchObject([{ kind: "accepted", repeated: true }]);
  });
});

it("what cannot be taken now is refused to all who wait, and the next ones are taken", async () => {
  let away = true;
  const accept = scene.acceptWith({
    assertRoom: async () => {
      if (away) throw new Error("Connection is closed.");
    },
  });
  const ask = () => Promise.allSettled(range(MANY, () => idOf(accept, submissionFor("teacher-1"))));
  const refused = await ask();
  expect(refused.filter(({ status }) => status === "rejected")).toHaveLength(MANY);
  away = false;
  const taken = await ask();
  expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(MANY);
});

describe("requests that come faster than Redis takes them in", () => {
  it("are refused at once beyond a limit, and all who wait fail with the one that timed out", async () => {
    const answer = Promise.withResolvers<readonly string[]>();
    let asked = 0;
    const take = createGroups<number, string>(async (items) => {
      asked += items.length;
      return await answer.promise;
    });
    const first = take(-1);
    // Two groups are under way before anything waits.
    await expect.poll(() => asked).toBe(1);
    const second = take(-2);
    await expect.poll(() => asked).toBe(2);
    const waiting = range(MAX_WAITING, (at) => take(at));
    const settled = Promise.allSettled([first, second, ...waiting]);

    await expect(take(MAX_WAITING)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 1,
    });

    answer.reject(new Error("Command timed out"));
    for (const result of await settled) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: { message: "Command timed out" },
      });
    }
    expect(asked).toBe(2);
  });
});
