/** An SMS whose answer never came: it is found out about where that can be, and never sent twice. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { viewStatus } from "../../src/tracking/view.ts";
import type { Note } from "../../src/tracking/note.ts";
import { openSmsScene, PHONE, type SmsScene } from "./sms-scene.ts";

const MINUTE_MS = 60_000;
const LAST_LOOK_MS = 60 * MINUTE_MS;

let scene: SmsScene;
beforeEach(async () => {
  scene = await openSmsScene();
});
afterEach(() => scene.close());

const read = async ({ id }: Note): Promise<Note> => await scene.book.read(id);
const smsOf = async (note: Note) => (await read(note)).channels.sms;

/** Sends one whose answer is lost; Twilio has it. */
async function lose(): Promise<Note> {
  scene.twilio.script(PHONE, { acceptThenReset: true, times: 1 });
  const note = await scene.note();
  await scene.send(note);
  return note;
}

/** Sends one that Twilio never took. */
async function vanish(): Promise<Note> {
  scene.twilio.script(PHONE, { reset: true, times: 1 });
  const note = await scene.note();
  await scene.work();
  return note;
}

const expectOneSent = (): void => expect(scene.twilio.received).toHaveLength(1);

describe("accepted, and the answer never came", () => {
  it("is queued while it can be found out, and says why", async () => {
    const note = await read(await lose());
    expect(viewStatus(note)).toMatchObject({
      status: "queued",
      channels: { sms: "queued" },
      channel_details: { sms: { reason: "unknown" } },
    });
  });

  it("is delivered once Twilio calls back, and confirmed once it arrived", async () => {
    const note = await lose();
    const [message] = scene.twilio.received;
    if (message === undefined) throw new Error("nothing was taken");
    expect(await scene.twilio.report(message, { status: "sent" })).toBe(204);
    await scene.work();
    expect(await read(note)).toMatchObject({
      status: "delivered",
      channels: { sms: { state: "delivered" } },
    });
    await scene.twilio.report(message, { status: "delivered" });
    expect((await smsOf(note)).state).toBe("confirmed");
    expect(scene.twilio.lists).toBe(0);
    expectOneSent();
  });

  it("is delivered once Twilio lists it", async () => {
    const note = await lose();
    await scene.pass(30_000);
    expect(await read(note)).toMatchObject({
      status: "delivered",
      channels: { sms: { state: "delivered" } },
    });
    expect(scene.twilio.lists).toBe(1);
    expectOneSent();
  });

  it("is failed by what Twilio lists of it", async () => {
    const note = await lose();
    const [message] = scene.twilio.received;
    if (message === undefined) throw new Error("nothing was taken");
    scene.book.clock.advance(1_000);
    await scene.twilio.report(
      { ...message, statusCallback: undefined },
      { status: "failed", errorCode: 30_006 },
    );
    await scene.pass(30_000);
    expect(await read(note)).toMatchObject({
      status: "failed",
      channels: { sms: { state: "failed", reason: "undelivered" } },
    });
    expectOneSent();
  });

  it("is known without asking Twilio, where only the note was not told before its worker died", async () => {
    const note = await lose();
    const { at: sentAt } = await smsOf(note);
    await scene.parts.records.report({ noteId: note.id, sentAt }, { status: "queued" });
    await scene.pass(30_000);
    expect((await smsOf(note)).state).toBe("delivered");
    expect(scene.twilio.lists).toBe(0);
    expectOneSent();
  });

  it("is found at a later look, where Twilio could not be asked before", async () => {
    const note = await lose();
    scene.twilio.scriptLists(() => ({ status: 503 }));
    await scene.pass(11 * MINUTE_MS);
    expect((await smsOf(note)).state).toBe("sending");
    scene.twilio.scriptLists(() => ({}));
    await scene.pass(50 * MINUTE_MS);
    expect((await smsOf(note)).state).toBe("delivered");
    expectOneSent();
  });

  it("is not given up at the last look, where Twilio could not be asked then", async () => {
    const note = await lose();
    scene.twilio.scriptLists(() => ({ status: 503 }));
    await scene.pass(LAST_LOOK_MS);
    expect((await smsOf(note)).state).toBe("sending");
    scene.twilio.scriptLists(() => ({}));
    await scene.pass(10 * MINUTE_MS);
    expect((await smsOf(note)).state).toBe("delivered");
  });
});

describe("never accepted, and no answer came", () => {
  it("has failed after the last look, and a person alone may have it sent again", async () => {
    const note = await vanish();
    await scene.pass(LAST_LOOK_MS - 10_000);
    expect((await smsOf(note)).state).toBe("sending");
    expect(scene.twilio.lists).toBe(3);
    await scene.pass(10_000);
    expect(await read(note)).toMatchObject({
      status: "failed",
      channels: { sms: { state: "unknown", reason: "unknown" } },
    });
    const { deadNotes } = scene.book;
    expect((await deadNotes.list({ limit: 10 })).entries).toHaveLength(1);
    expect(await deadNotes.redrive(note.id, { by: "boss" })).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("may have been sent"),
    });
    expect((await deadNotes.redrive(note.id, { by: "boss", channels: ["sms"] })).kind).toBe(
      "redriven",
    );
    await scene.work();
    expect((await smsOf(note)).state).toBe("delivered");
    expectOneSent();
  });

  it("does not take the message of another note with the same text for its own", async () => {
    const other = await scene.note();
    await scene.work();
    const note = await vanish();
    await scene.pass(LAST_LOOK_MS);
    expect((await smsOf(other)).state).toBe("delivered");
    expect((await smsOf(note)).state).toBe("unknown");
  });

  it("does not take a message that says something else for its own", async () => {
    const note = await vanish();
    scene.book.clock.advance(1_000);
    scene.text = "Something else.";
    const other = await lose();
    await scene.pass(LAST_LOOK_MS);
    expect((await smsOf(note)).state).toBe("unknown");
    expect((await smsOf(other)).state).toBe("delivered");
  });

  it("is not sent again where its worker died", async () => {
    const note = await scene.note();
    const { claim } = await import("../../src/delivery/provider-steps.ts");
    await scene.book.apply(claim(note, "sms", scene.book.clock.now(), 1_000));
    await scene.pass(LAST_LOOK_MS);
    expect(await smsOf(note)).toMatchObject({ state: "unknown", reason: "unknown" });
    expect(scene.twilio.received).toHaveLength(0);
  });

  it("is delivered all the same, if Twilio calls back after it was given up", async () => {
    const note = await lose();
    scene.twilio.scriptLists(() => ({ status: 503 }));
    await scene.pass(3 * LAST_LOOK_MS);
    expect((await read(note)).status).toBe("failed");
    const [message] = scene.twilio.received;
    if (message === undefined) throw new Error("nothing was taken");
    await scene.twilio.report(message, { status: "delivered" });
    expect(await read(note)).toMatchObject({
      status: "delivered",
      channels: { sms: { state: "confirmed" } },
    });
  });
});

it("two that say the same to the same phone are each found once", async () => {
  const notes = [await lose(), await lose(), await vanish()];
  await scene.pass(LAST_LOOK_MS);
  const states = await Promise.all(notes.map(async (note) => (await smsOf(note)).state));
  expect(states.filter((state) => state === "delivered")).toHaveLength(2);
  expect(states.filter((state) => state === "unknown")).toHaveLength(1);
});
