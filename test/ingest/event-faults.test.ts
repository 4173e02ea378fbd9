/** What can never be used, and what cannot be used now: neither holds up or loses anything else. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import { Problem } from "../../src/platform/problems.ts";
import {
  batchCompleted,
  envelopeOf,
  GENERAL_TOPIC,
  openIntakeScene,
  recordOf,
  TEACHER_TOPIC,
  templates,
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
});

const someone = (): string => {
  users += 1;
  return `teacher-${users}`;
};
const record = (value: unknown, place: Partial<KafkaRecord> = {}): KafkaRecord =>
  recordOf(value, { timestamp: scene.clock.now(), ...place });
const kinds = (outcomes: readonly { kind: string; reason?: string }[]): string[] =>
  outcomes.map(({ kind, reason }) => (reason === undefined ? kind : `${kind} ${reason}`));

describe("what can never be used", () => {
  it("stops nothing that comes behind it, and keeps its bytes", async () => {
    const good = () => record(envelopeOf(batchCompleted({ teacher_id: someone() })));
    const poison: [KafkaRecord, string][] = [
      [record(Buffer.from([0xff, 0xfe, 0x7b])), "dead_lettered invalid_json"],
      [record("not json"), "dead_lettered invalid_json"],
      [record(Buffer.alloc(0)), "dead_lettered invalid_json"],
      [record([1, 2]), "dead_lettered invalid_event"],
      [record(`${"[".repeat(5_000)}${"]".repeat(5_000)}`), "dead_lettered invalid_event"],
      [record(`{"teacher_id":"t","payload":{"__proto__":1}}`), "dead_lettered invalid_event"],
      [record({ ...batchCompleted(), filler: "x".repeat(300_000) }), "dead_lettered invalid_event"],
      [record({ teacher_id: "t" }), "dead_lettered invalid_event"],
      [record({ event_type: "a.b.v1", data: {} }), "dead_lettered unknown_event_type"],
      [
        record(batchCompleted({ notification_type: "unheard_of" })),
        "dead_lettered unknown_notification_type",
      ],
      [record(null), "skipped tombstone"],
    ];
    const chunk = poison.flatMap(([bad]) => [good(), bad]);
    const outcomes = kinds(await scene.take([...chunk, good()]));
    expect(outcomes.filter((_, at) => at % 2 === 0)).toEqual(
      Array.from({ length: poison.length + 1 }, () => "accepted"),
    );
    expect(outcomes.filter((_, at) => at % 2 === 1)).toEqual(poison.map(([, outcome]) => outcome));
    const dead = poison.filter(([, outcome]) => outcome.startsWith("dead"));
    expect(scene.deadLetters.map((letter) => letter.record)).toEqual(dead.map(([bad]) => bad));
    expect(await scene.notes()).toHaveLength(poison.length + 1);
  });

  it("is a record that nobody thought of", async () => {
    const strange = record(batchCompleted({ teacher_id: someone(), notification_type: "strange" }));
    const good = record(batchCompleted({ teacher_id: someone() }));
    const get = (id: string) => {
      if (id === "strange") throw new TypeError("a bug");
      return templates.get(id);
    };
    const handler = scene.intake({ templates: { get } });
    expect(kinds(await scene.take([strange, good], handler))).toEqual([
      "dead_lettered poison",
      "accepted",
    ]);
  });

  it.each([
    ["a bug", new TypeError("a bug")],
    ["a word of Redis on it", Object.assign(new Error("ERR it"), { name: "ReplyError" })],
  ])("is the one record that breaks acceptance, not its neighbours: %s", async (_what, fault) => {
    const chunk = Array.from({ length: 9 }, () =>
      record(envelopeOf(batchCompleted({ teacher_id: someone() }))),
    );
    const culprit = `teacher-${users - 3}`;
    const handler = scene.intake({
      accept: async (submissions, caller) => {
        if (submissions.some(({ request: { user_id } }) => user_id === culprit)) {
          throw fault;
        }
        return scene.accept(submissions, caller);
      },
    });
    const outcomes = kinds(await scene.take(chunk, handler));
    expect(outcomes).toEqual(
      chunk.map((_, at) => (at === 5 ? "dead_lettered poison" : "accepted")),
    );
    expect(scene.deadLetters.map((letter) => letter.record)).toEqual([chunk[5]]);
    expect((await scene.notes()).map(({ id }) => id)).toEqual(scene.queued);
  });
});

describe("while nothing can be taken", () => {
  const chunk = () => [
    record(envelopeOf(batchCompleted({ teacher_id: someone() }))),
    record("not json"),
  ];

  it("hands the chunk back as a whole, and takes it when it comes again", async () => {
    const records = chunk();
    const full = scene.intake({
      accept: scene.acceptWith({
        assertRoom: () => Promise.reject(new Problem("unavailable", "Storage is nearly full.")),
      }),
    });
    await expect(scene.take(records, full)).rejects.toThrow("Storage is nearly full.");
    expect([scene.outcomes, scene.deadLetters, scene.audited]).toEqual([[], [], []]);
    expect(kinds(await scene.take(records))).toEqual(["accepted", "dead_lettered invalid_json"]);
  });

  it("accepts once what could not be put aside at first", async () => {
    const records = chunk();
    const handler = scene.intake({
      deadLetters: { write: () => Promise.reject(new Error("no broker")) },
    });
    await expect(scene.take(records, handler)).rejects.toThrow("no broker");
    expect(scene.outcomes).toEqual([]);
    expect(kinds(await scene.take(records))).toEqual(["repeated", "dead_lettered invalid_json"]);
    expect(await scene.notes()).toHaveLength(1);
  });
});

const NAMES =
  "data payload teacher_id event_id deadline_timestamp timestamp priority category metadata user_id notification_type template_id batch_id correlation_id send_at expires_at toString __proto__".split(
    " ",
  );

/** A well-formed event or request, with some of its fields replaced by anything. */
const almostRight = fc
  .record({
    base: fc.constantFrom(batchCompleted(), envelopeOf(batchCompleted()), {
      user_id: "u",
      template_id: "announcement",
      data: { title: "t", body: "b" },
    }),
    path: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
    value: fc.jsonValue(),
  })
  .map(({ base, path, value }) => {
    const text = JSON.stringify(base);
    const inner = path.reduceRight(
      (json, name) => `{${JSON.stringify(name)}:${json}}`,
      JSON.stringify(value),
    );
    // Appended as text: later names win, and names that no object literal can set get in.
    return Buffer.from(`${text.slice(0, -1)},${inner.slice(1)}`);
  });

const anyValue = fc.oneof(
  { arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
  { arbitrary: fc.json().map((text) => Buffer.from(text)), weight: 1 },
  { arbitrary: almostRight, weight: 3 },
  { arbitrary: fc.constant(null), weight: 1 },
);

describe("anything at all in a topic", () => {
  it("has one outcome for each record, and a dead letter for each that is one", async () => {
    const free = scene.intake({
      accept: scene.acceptWith({
        idempotency: { claim: async (all) => all.map(({ id }) => ({ kind: "new", id })) },
        occurrences: { claim: async (all) => all.map(() => true) },
        ledger: { accept: async (all) => all.map(() => "created"), depth: async () => 0 },
      }),
      allowUnknownTypes: true,
    });
    const place = fc.record({
      topic: fc.constantFrom(TEACHER_TOPIC, GENERAL_TOPIC),
      timestamp: fc.constantFrom(0, scene.clock.now()),
    });
    const records = fc.array(fc.tuple(anyValue, place), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(records, async (made) => {
        scene.deadLetters.length = 0;
        const chunk = made.map(([value, where]) => record(value, where));
        const outcomes = await scene.take(chunk, free);
        expect(outcomes).toHaveLength(chunk.length);
        expect(scene.deadLetters.map((letter) => letter.record)).toEqual(
          chunk.filter((_, at) => outcomes[at]?.kind === "dead_lettered"),
        );
        expect(kinds(outcomes)).not.toContain("dead_lettered poison");
      }),
      { numRuns: 500 },
    );
  });
});
