/** What holds an SMS back though its provider is well: caps, the provider's speed, quiet hours. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/channels/channel.ts";
import { createSmsCaps } from "../../src/channels/sms/caps.ts";
import { createSmsThroughput } from "../../src/channels/sms/throughput.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import { parseTimeline, type Note } from "../../src/tracking/note.ts";
import { openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { DOWN, openScene, SILENT, TAKEN, type Scene, type SceneOptions } from "./provider-scene.ts";

const PER_USER = 3;
const PER_NUMBER = 6;

let book: TestLedger;
let scene: Scene;

beforeEach(async () => {
  book = await openTestLedger();
});
afterEach(() => book.store.close());

function open(options: SceneOptions): void {
  scene = openScene(book, options);
}

function openCapped(options: SceneOptions = {}): void {
  const { redis, keyspace } = book.store;
  open({
    ...options,
    smsCaps: createSmsCaps({
      redis,
      keyspace,
      clock: book.clock,
      sealing: createSealing(undefined),
      perUser: PER_USER,
      perNumber: PER_NUMBER,
    }),
  });
}

function openPaced(options: SceneOptions = {}, isCapped = false): void {
  const { redis, keyspace } = book.store;
  (isCapped ? openCapped : open)({
    ...options,
    throughputOf: (provider) =>
      createSmsThroughput({ redis, keyspace, clock: book.clock, provider, segmentsPerSecond: 1 }),
  });
}

async function smsNote(given: Partial<NewNote> = {}): Promise<Note> {
  const isCritical = given.priority === "critical";
  return await book.create({
    stage: "sms",
    lane: isCritical ? "urgent" : "normal",
    channels: { websocket: book.shut(), push: book.shut(), sms: book.open() },
    dueAt: book.clock.now(),
    request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
    ...given,
  });
}

const toNumber = (last: number) => ({
  data: {},
  correlation_id: "c",
  phone_number: `+4670123456${last}`,
});

const now = (): Promise<void> => scene.run(book.clock.now() + 1);

async function sendOne(given: Partial<NewNote> = {}): Promise<string> {
  const { id } = await smsNote(given);
  await now();
  const { state, reason } = (await book.read(id)).channels.sms;
  return reason ?? state;
}

describe("too many SMS to one person", () => {
  it("are skipped as a flood, except critical ones", async () => {
    openCapped();
    for (let count = 0; count < PER_USER; count += 1) expect(await sendOne()).toBe("delivered");
    expect(await sendOne()).toBe("flood");
    expect(await sendOne({ priority: "critical" })).toBe("delivered");
    expect(scene.texted).toHaveLength(PER_USER + 1);
  });

  it("to one number are skipped whoever they are for, critical ones as well", async () => {
    openCapped();
    for (let count = 0; count < PER_NUMBER; count += 1) {
      expect(await sendOne({ userId: `teacher-${count}` })).toBe("delivered");
    }
    expect(await sendOne({ userId: "another", priority: "critical" })).toBe("flood");
  });

  it("are sent again from midnight on", async () => {
    openCapped();
    const midnight = Math.ceil(book.clock.now() / 86_400_000) * 86_400_000;
    book.clock.advance(midnight - 5_000 - book.clock.now());
    for (let count = 0; count < PER_USER; count += 1) await sendOne();
    expect(await sendOne()).toBe("flood");
    book.clock.advance(5_000);
    for (let count = 0; count < PER_USER; count += 1) expect(await sendOne()).toBe("delivered");
    expect(await sendOne()).toBe("flood");
  });

  it("are not made of what was surely not sent", async () => {
    openCapped();
    scene.answers.set("twilio", { kind: "rejected", detail: "http 400" });
    for (let count = 0; count < PER_NUMBER; count += 1) expect(await sendOne()).toBe("rejected");
    scene.answers.set("twilio", TAKEN);
    for (let count = 0; count < PER_USER; count += 1) expect(await sendOne()).toBe("delivered");
    expect(await sendOne()).toBe("flood");
  });

  it("are not made of one that is tried often", async () => {
    openCapped();
    scene.answers.set("twilio", DOWN);
    const { id } = await smsNote();
    await scene.run(book.clock.now() + 60_000);
    scene.answers.set("twilio", TAKEN);
    await scene.run(book.clock.now() + 300_000);
    expect((await book.read(id)).channels.sms.state).toBe("delivered");
    for (let count = 1; count < PER_USER; count += 1) expect(await sendOne()).toBe("delivered");
    expect(await sendOne()).toBe("flood");
  });

  it("are made of one that another worker sent while this one was told to wait", async () => {
    let asked = 0;
    const throughput = {
      async take() {
        asked += 1;
        if (asked !== 1) return undefined;
        // This worker is slow: its lease is over, and another takes the note up and sends it.
        book.clock.advance(60_000);
        await now();
        return book.clock.now() + 1_000;
      },
    };
    openCapped({ throughputOf: () => throughput });
    expect(await sendOne()).toBe("delivered");
    for (let count = 1; count < PER_USER; count += 1) expect(await sendOne()).toBe("delivered");
    expect(await sendOne()).toBe("flood");
  });

  it("are made of what may have been sent", async () => {
    openCapped();
    scene.answers.set("twilio", SILENT);
    for (let count = 0; count < PER_USER; count += 1) expect(await sendOne()).toBe("unknown");
    scene.answers.set("twilio", TAKEN);
    book.clock.advance(60_000);
    expect(await sendOne()).toBe("flood");
  });
});

describe("more SMS at once than their provider sends", () => {
  it("wait for their turn, keep their tries, and say once that they wait", async () => {
    openPaced();
    const notes: Note[] = [];
    for (let count = 0; count < 12; count += 1) notes.push(await smsNote());
    const start = book.clock.now();
    await scene.run(start + 60_000, 100);
    for (const { id } of notes) {
      const note = await book.read(id);
      expect(note).toMatchObject({ status: "delivered", attempt: 0 });
      const waits = parseTimeline(note.timeline).filter(({ reason }) => reason === "throughput");
      expect(waits.length).toBeLessThanOrEqual(1);
    }
    const times = scene.texted.map(({ at }) => at - start);
    expect(times).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].map((seconds) => seconds * 1_000));
  });

  it("wait longer the longer they are", async () => {
    openPaced({ smsCharacters: 161 });
    for (let count = 0; count < 4; count += 1) await smsNote();
    const start = book.clock.now();
    await scene.run(start + 60_000, 100);
    expect(scene.texted.map(({ at }) => at - start)).toEqual([0, 0, 2_000, 4_000]);
  });

  it("let a critical one pass at once", async () => {
    openPaced();
    for (let count = 0; count < 20; count += 1) await smsNote();
    await now();
    expect(await sendOne({ priority: "critical" })).toBe("delivered");
    expect(scene.texted).toHaveLength(5);
  });

  it("may wait for longer than for a provider that is down", async () => {
    openPaced();
    // Forty minutes' worth that never comes back for its turn.
    const line = createSmsThroughput({
      ...book.store,
      clock: book.clock,
      provider: "twilio",
      segmentsPerSecond: 1,
    });
    await line.take({ noteId: "other", segments: 2_400, isCritical: false });
    const { id } = await smsNote();
    // That its provider then fails is another matter, which it has all its patience for.
    scene.answers.set("twilio", DOWN);
    await scene.run(book.clock.now() + 45 * 60_000, 5_000);
    expect((await book.read(id)).status).toBe("queued");
    scene.answers.set("twilio", TAKEN);
    await scene.run(book.clock.now() + 5 * 60_000, 5_000);
    expect((await book.read(id)).status).toBe("delivered");
  });

  it("do not wait past their own time", async () => {
    openPaced();
    const expiresAt = book.clock.now() + 5_500;
    for (let count = 0; count < 12; count += 1) await smsNote({ expiresAt });
    await scene.run(book.clock.now() + 60_000, 100);
    expect(scene.texted).toHaveLength(9);
    expect(await book.ledger.depth()).toBe(0);
  });

  it("stand open no longer than that, however far off their turn is", async () => {
    openPaced();
    const expiresAt = book.clock.now() + 5_500;
    for (let count = 0; count < 60; count += 1) await smsNote({ expiresAt });
    await scene.run(expiresAt + 1_000, 100);
    expect(await book.ledger.depth()).toBe(0);
  });

  it("and are not sent in the end do not count for their person's day", async () => {
    openPaced({}, true);
    // Others take what may go at once.
    for (let count = 0; count < 4; count += 1) {
      await smsNote({ userId: `other-${count}`, request: toNumber(count) });
    }
    await now();
    const expiresAt = book.clock.now() + 500;
    for (let count = 0; count < PER_USER; count += 1) await smsNote({ expiresAt });
    await scene.run(book.clock.now() + 60_000, 100);
    expect(scene.texted).toHaveLength(4);
    book.clock.advance(60_000);
    for (let count = 0; count < PER_USER; count += 1) expect(await sendOne()).toBe("delivered");
  });

  it("do not go to another provider for that", async () => {
    openPaced({ smsProviders: ["twilio", "webhook"] });
    for (let count = 0; count < 6; count += 1) await smsNote();
    await scene.run(book.clock.now() + 60_000, 100);
    expect(new Set(scene.texted.map(({ provider }) => provider))).toEqual(new Set(["twilio"]));
  });

  it("wait for the second provider where the first refused them, and are asked about once more", async () => {
    openPaced({ smsProviders: ["twilio", "webhook"] });
    scene.answers.set("twilio", DOWN);
    const notes: Note[] = [];
    for (let count = 0; count < 8; count += 1) notes.push(await smsNote());
    await scene.run(book.clock.now() + 60_000, 100);
    for (const { id } of notes) expect((await book.read(id)).status).toBe("delivered");
    const taken = scene.texted.filter(({ outcome }: { outcome: Outcome }) => outcome === TAKEN);
    expect(taken).toHaveLength(8);
  });
});
