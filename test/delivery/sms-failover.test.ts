/** Two SMS providers: the second takes over where the first surely has not taken a message, and back. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/channels/channel.ts";
import { parseTimeline, type Note } from "../../src/tracking/note.ts";
import { openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { DOWN, openScene, SILENT, TAKEN, type Scene } from "./provider-scene.ts";

const FIRST = "twilio";
const SECOND = "webhook";
/** Refusals in a row, by which an SMS provider is taken for down. */
const OPENS_AT = 3;
const BUSY: Outcome = { kind: "retry", throttled: true, afterMs: 20_000, detail: "http 429" };

let book: TestLedger;
let scene: Scene;

beforeEach(async () => {
  book = await openTestLedger();
  scene = openScene(book, { smsProviders: [FIRST, SECOND] });
});
afterEach(() => book.store.close());

async function smsNote(): Promise<Note> {
  return await book.create({
    stage: "sms",
    channels: { websocket: book.shut(), push: book.shut(), sms: book.open() },
    dueAt: book.clock.now(),
    request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
  });
}

const now = (): Promise<void> => scene.run(book.clock.now() + 1);
const minutes = (count: number): Promise<void> => scene.run(book.clock.now() + count * 60_000);
const askedFor = ({ id }: Pick<Note, "id">): string[] =>
  scene.texted.filter(({ noteId }) => noteId === id).map(({ provider }) => provider);

describe("the second SMS provider", () => {
  it.each<[string, Outcome]>([
    ["cannot be connected to", DOWN],
    ["is asked too often", BUSY],
    ["refuses the account", { kind: "retry", detail: "http 401" }],
  ])("takes a message at once where the first %s", async (_why, outcome) => {
    scene.answers.set(FIRST, outcome);
    const note = await smsNote();
    await now();
    expect(askedFor(note)).toEqual([FIRST, SECOND]);
    expect(await book.read(note.id)).toMatchObject({ status: "delivered", attempt: 0 });
  });

  it.each<[string, Outcome, string]>([
    ["may have taken it", SILENT, "unknown"],
    ["refuses the number", { kind: "rejected", detail: "http 400, twilio 21211" }, "failed"],
    ["knows that the person opted out", { kind: "opted_out" }, "skipped"],
    ["has taken it", TAKEN, "delivered"],
  ])("is not asked where the first %s", async (_why, outcome, state) => {
    scene.answers.set(FIRST, outcome);
    const note = await smsNote();
    // It is looked for in vain for an hour, if nobody knows what became of it.
    await scene.run(book.clock.now() + 65 * 60_000, 30_000);
    expect(askedFor(note)).toEqual([FIRST]);
    expect((await book.read(note.id)).channels.sms.state).toBe(state);
  });

  it("is asked alone while the first is left alone, and no longer once that is back", async () => {
    scene.answers.set(FIRST, DOWN);
    for (let count = 0; count < OPENS_AT; count += 1) await smsNote();
    await now();
    const during = await smsNote();
    await now();
    expect(askedFor(during)).toEqual([SECOND]);

    scene.answers.set(FIRST, TAKEN);
    book.clock.advance(60_000);
    const after = [await smsNote(), await smsNote()];
    await now();
    expect(after.map(askedFor)).toEqual([[FIRST], [FIRST]]);
  });

  it("is used for as long as the first asked to be left in peace", async () => {
    scene.answers.set(FIRST, BUSY);
    const asked = await smsNote();
    await now();
    scene.answers.set(FIRST, TAKEN);
    const during = await smsNote();
    await now();
    book.clock.advance(19_000);
    const still = await smsNote();
    await now();
    book.clock.advance(1_000);
    const after = await smsNote();
    await now();
    expect(askedFor(asked)).toEqual([FIRST, SECOND]);
    expect([during, still, after].map(askedFor)).toEqual([[SECOND], [SECOND], [FIRST]]);
  });

  it("leaves a message its tries where both fail, and the first that is back sends it", async () => {
    scene.answers.set(FIRST, DOWN);
    scene.answers.set(SECOND, DOWN);
    for (let count = 0; count < OPENS_AT; count += 1) await smsNote();
    await now();
    const note = await smsNote();
    await minutes(5);
    expect(await book.read(note.id)).toMatchObject({ status: "queued", stage: "sms", attempt: 0 });
    scene.answers.set(SECOND, TAKEN);
    await minutes(5);
    expect((await book.read(note.id)).status).toBe("delivered");
  });

  it("stands in the timeline, where it was asked", async () => {
    scene.answers.set(FIRST, DOWN);
    const { id } = await smsNote();
    await now();
    const steps = parseTimeline((await book.read(id)).timeline)
      .filter(({ channel }) => channel === "sms")
      .map(({ from, to, reason }) => [from, to, reason]);
    expect(steps).toEqual([
      ["pending", "sending", FIRST],
      ["sending", "sending", SECOND],
      ["sending", "delivered", null],
    ]);
  });

  it("does not make one notification count for two", async () => {
    scene.answers.set(FIRST, DOWN);
    const note = await smsNote();
    await now();
    expect(await book.counters(note)).toMatchObject({ "sms.sent": "1", "sms.delivered": "1" });
  });
});

describe("two providers that are asked too often", () => {
  const AT_ONCE: Outcome = { kind: "retry", throttled: true, detail: "http 429" };
  const throttle = (): void => [FIRST, SECOND].forEach((name) => scene.answers.set(name, AT_ONCE));

  it("for some minutes, and say no time: a message that waits keeps its tries, and is sent", async () => {
    throttle();
    const note = await smsNote();
    await minutes(10);
    expect(await book.read(note.id)).toMatchObject({ status: "queued", attempt: 0 });
    scene.answers.set(FIRST, TAKEN);
    await minutes(10);
    expect((await book.read(note.id)).status).toBe("delivered");
  });

  it("and say when: a message is sent then, however far off that is", async () => {
    const LATER: Outcome = { ...AT_ONCE, afterMs: 50 * 60_000 };
    for (const name of [FIRST, SECOND]) scene.answers.set(name, LATER);
    const note = await smsNote();
    await minutes(1);
    scene.answers.clear();
    await minutes(60);
    expect((await book.read(note.id)).status).toBe("delivered");
    expect(askedFor(note)).toHaveLength(3);
  });

  it("for good: it has failed within half an hour, and asked them ever less often", async () => {
    throttle();
    const note = await smsNote();
    await minutes(31);
    expect((await book.read(note.id)).channels.sms).toMatchObject({
      state: "failed",
      reason: "provider_error",
    });
    expect(askedFor(note).length).toBeLessThanOrEqual(60);
  });
});

describe("whatever two providers answer", () => {
  const outcome = fc.constantFrom<Outcome>(
    TAKEN,
    SILENT,
    DOWN,
    BUSY,
    { kind: "rejected", detail: "http 400" },
    { kind: "opted_out" },
  );
  const mayHaveIt = ({ outcome: { kind } }: { outcome: Outcome }): boolean =>
    kind === "delivered" || kind === "unknown";

  it("at most one of them has taken a message, and every message ends", async () => {
    const round = fc.record({
      first: outcome,
      second: outcome,
      notes: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
        scene = openScene(book, { smsProviders: [FIRST, SECOND] });
        const notes: Note[] = [];
        for (const { first, second, notes: count } of rounds) {
          scene.answers.set(FIRST, first);
          scene.answers.set(SECOND, second);
          for (let index = 0; index < count; index += 1) notes.push(await smsNote());
          await scene.run(book.clock.now() + 5_000, 1_000);
        }
        await scene.run(book.clock.now() + 65 * 60_000, 30_000);
        for (const { id } of notes) {
          const asked = scene.texted.filter(({ noteId }) => noteId === id);
          expect(asked.filter(mayHaveIt).length).toBeLessThanOrEqual(1);
          // Nothing is asked after a provider that may have it, or that refused it for what it is.
          expect(asked.slice(0, -1).every(({ outcome: { kind } }) => kind === "retry")).toBe(true);
          expect((await book.read(id)).stage).toBeNull();
        }
      }),
      { numRuns: 25 },
    );
  });
});
