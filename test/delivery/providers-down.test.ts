/** A provider is down: notes wait and are sent when it is back; what must not wait goes on. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Note } from "../../src/tracking/note.ts";
import { openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import {
  BUSY_SERVICE,
  CRITICAL_BUDGET_MS,
  DOWN,
  openScene,
  OTHER_SERVICE,
  SILENT,
  TAKEN,
  type Scene,
} from "./provider-scene.ts";

let book: TestLedger;
let scene: Scene;

beforeEach(async () => {
  book = await openTestLedger();
  scene = openScene(book);
});
afterEach(() => book.store.close());

let users = 0;

/** A note that waits for push, for a user with browsers at these services. */
async function pushNote(
  services: readonly string[],
  changes: Parameters<TestLedger["create"]>[0] = {},
): Promise<Note> {
  users += 1;
  const userId = `person-${users}`;
  scene.endpoints.set(
    userId,
    services.map((service, index) => `${service}/push/${users}-${index}`),
  );
  const channels = { websocket: book.shut(), push: book.open(), sms: book.shut() };
  return await book.create({
    userId,
    stage: "push",
    channels,
    dueAt: book.clock.now(),
    ...changes,
  });
}

async function smsNote(): Promise<Note> {
  users += 1;
  const channels = { websocket: book.shut(), push: book.shut(), sms: book.open() };
  return await book.create({
    userId: `person-${users}`,
    stage: "sms",
    channels,
    dueAt: book.clock.now(),
    request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
  });
}

async function breakPush(): Promise<void> {
  scene.answers.set(BUSY_SERVICE, DOWN);
  await Promise.all(Array.from({ length: 5 }, () => pushNote([BUSY_SERVICE])));
  await scene.run(book.clock.now() + 1);
  expect(scene.breakers.health().state).toBe("unhealthy");
}

const minutes = (count: number): number => book.clock.now() + count * 60_000;

describe("a push service that is down", () => {
  it("for ten minutes gets a few probes, and all that waited once it is back", async () => {
    await breakPush();
    const notes = await Promise.all(Array.from({ length: 30 }, () => pushNote([BUSY_SERVICE])));
    await scene.run(minutes(10), 1_000);
    // Five that opened it; then one at each of the cool-downs of 1, 2, 4 ... 60 s.
    expect(scene.asked.get(BUSY_SERVICE)).toBeLessThan(25);
    for (const { id } of notes) {
      const note = await book.read(id);
      // Neither waiting nor a probe uses up a try.
      expect(note).toMatchObject({ status: "queued", stage: "push", attempt: 0 });
      // However often it was looked at, that it waits is said once.
      expect(note.timeline.split(" push pending pending ").length).toBe(2);
    }
    scene.answers.set(BUSY_SERVICE, TAKEN);
    await scene.run(minutes(5));
    for (const { id } of notes) expect((await book.read(id)).status).toBe("delivered");
  });

  it("for hours: what waits for it ends within half an hour", async () => {
    await breakPush();
    const { id } = await pushNote([BUSY_SERVICE]);
    await scene.run(minutes(31), 5_000);
    expect(await book.read(id)).toMatchObject({
      status: "failed",
      channels: { push: { state: "failed", reason: "provider_error" } },
    });
    expect(await book.ledger.depth()).toBe(0);
  });

  it("for a few minutes: one that waits alone, and is every probe, is sent when it is back", async () => {
    await breakPush();
    await scene.run(minutes(31), 5_000);
    await breakPush();
    const { id } = await pushNote([BUSY_SERVICE]);
    await scene.run(minutes(5));
    expect((await book.read(id)).status).toBe("queued");
    scene.answers.set(BUSY_SERVICE, TAKEN);
    await scene.run(minutes(3));
    expect((await book.read(id)).status).toBe("delivered");
  });

  it("does not hold up others, nor a person's browsers elsewhere", async () => {
    await breakPush();
    const other = await pushNote([OTHER_SERVICE]);
    const both = await pushNote([BUSY_SERVICE, OTHER_SERVICE]);
    await scene.run(book.clock.now() + 1);
    expect((await book.read(other.id)).status).toBe("delivered");
    expect((await book.read(both.id)).status).toBe("delivered");
  });

  it("is still waited for where the person's other browser is gone", async () => {
    await breakPush();
    scene.answers.set(OTHER_SERVICE, { kind: "gone" });
    const { id } = await pushNote([BUSY_SERVICE, OTHER_SERVICE]);
    await scene.run(book.clock.now() + 1);
    expect((await book.read(id)).status).toBe("queued");
    scene.answers.set(BUSY_SERVICE, TAKEN);
    await scene.run(minutes(3));
    expect((await book.read(id)).status).toBe("delivered");
  });

  it("keeps a critical notification for ten seconds at most, then it goes on to SMS", async () => {
    await breakPush();
    const startedAt = book.clock.now();
    const { id } = await pushNote([BUSY_SERVICE], {
      priority: "critical",
      channels: { websocket: book.shut(), push: book.open(), sms: book.open() },
      request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
    });
    while ((await book.read(id)).stage === "push") await scene.run(book.clock.now() + 1);
    expect(book.clock.now() - startedAt).toBeLessThanOrEqual(CRITICAL_BUDGET_MS + 500);
    await scene.run(minutes(1));
    expect((await book.read(id)).channels.sms.state).toBe("delivered");
  });

  it.each([
    ["was not asked for", () => book.shut()],
    ["has no number to go to", () => book.open()],
  ])(
    "has a critical notification wait as long as others where an SMS %s",
    async (_why, smsRecord) => {
      await breakPush();
      const channels = { websocket: book.shut(), push: book.open(), sms: smsRecord() };
      const { id } = await pushNote([BUSY_SERVICE], { priority: "critical", channels });
      await scene.run(minutes(5));
      expect((await book.read(id)).status).toBe("queued");
      scene.answers.set(BUSY_SERVICE, TAKEN);
      await scene.run(minutes(3));
      expect((await book.read(id)).status).toBe("delivered");
    },
  );

  it("keeps one that SMS may follow for a minute", async () => {
    await breakPush();
    const { id } = await pushNote([BUSY_SERVICE], {
      channels: { websocket: book.shut(), push: book.open(), sms: book.open() },
      request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
    });
    await scene.run(minutes(2));
    expect((await book.read(id)).channels).toMatchObject({
      push: { state: "failed", reason: "provider_error" },
      sms: { state: "delivered" },
    });
  });

  it("is waited for from the time a note was scheduled for, not from when it was accepted", async () => {
    await breakPush();
    const acceptedAt = book.clock.now() - 86_400_000;
    const sendAt = book.clock.now();
    const { id } = await pushNote([BUSY_SERVICE], { acceptedAt, sendAt, status: "scheduled" });
    await scene.run(minutes(2));
    expect((await book.read(id)).status).toBe("queued");
  });
});

describe("an SMS provider that takes requests and never answers", () => {
  it("is left alone after three, so that the others can still be sent, each once", async () => {
    scene.answers.set("twilio", SILENT);
    const notes = await Promise.all(Array.from({ length: 20 }, smsNote));
    await scene.run(minutes(3));
    const states = async () =>
      (await Promise.all(notes.map(({ id }) => book.read(id)))).map(
        ({ channels }) => channels.sms.state,
      );
    const lost = (await states()).filter((state) => state === "sending").length;
    expect(lost).toBe(scene.asked.get("twilio"));
    // Three, and one for each probe within three minutes.
    expect(lost).toBeLessThanOrEqual(11);

    scene.answers.set("twilio", TAKEN);
    await scene.run(minutes(5));
    expect((await states()).filter((state) => state === "delivered").length).toBe(20 - lost);
    expect(scene.asked.get("twilio")).toBe(20);
  });

  it("and that refuses connections: what waits keeps its tries, whoever is the probe", async () => {
    scene.answers.set("twilio", { kind: "retry", detail: "network ECONNREFUSED" });
    await Promise.all(Array.from({ length: 3 }, smsNote));
    await scene.run(book.clock.now() + 1);
    const notes = await Promise.all(Array.from({ length: 5 }, smsNote));
    await scene.run(minutes(10), 1_000);
    for (const { id } of notes) {
      expect(await book.read(id)).toMatchObject({ status: "queued", stage: "sms", attempt: 0 });
    }
  });

  it("for good: what waits for it ends within half an hour", async () => {
    scene.answers.set("twilio", { kind: "retry", detail: "network ECONNREFUSED" });
    const notes = await Promise.all(Array.from({ length: 10 }, smsNote));
    await scene.run(minutes(31), 5_000);
    for (const { id } of notes) {
      expect(await book.read(id)).toMatchObject({
        status: "failed",
        channels: { sms: { state: "failed", reason: "provider_error" } },
      });
    }
  });
});
