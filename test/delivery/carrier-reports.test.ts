/** What a carrier says of an SMS after its provider took it: it only goes forward. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Note } from "../../src/tracking/note.ts";
import type { TwilioMessage } from "../support/twilio.ts";
import { openSmsScene, PHONE, type SmsScene } from "./sms-scene.ts";

let scene: SmsScene;
beforeEach(async () => {
  scene = await openSmsScene();
});
afterEach(() => scene.close());

const read = async ({ id }: Note): Promise<Note> => await scene.book.read(id);

interface Sent {
  readonly note: Note;
  readonly message: TwilioMessage;
}

async function sent(...given: Parameters<SmsScene["note"]>): Promise<Sent> {
  const note = await scene.note(...given);
  const message = await scene.send(note);
  if (message === undefined) throw new Error("nothing was taken");
  return { note, message };
}

async function say({ message }: Sent, ...words: readonly (string | number)[]): Promise<void> {
  for (const word of words) {
    const report =
      typeof word === "string" ? { status: word } : { status: "undelivered", errorCode: word };
    expect(await scene.twilio.report(message, report)).toBe(204);
  }
}

/** A push was not needed, as the SMS counted as delivered. */
const pushLeft = () => ({
  websocket: scene.book.shut(),
  push: { ...scene.book.shut(), reason: "not_needed" as const },
  sms: scene.book.open(),
});

const smsOf = async ({ note }: Sent): Promise<string> => (await read(note)).channels.sms.state;

describe("a carrier's word", () => {
  it("that it arrived makes the SMS confirmed", async () => {
    const one = await sent();
    await say(one, "queued", "sending", "sent");
    expect(await smsOf(one)).toBe("delivered");
    await say(one, "delivered");
    expect(await smsOf(one)).toBe("confirmed");
    expect(await scene.book.counters(one.note)).toMatchObject({
      "sms.delivered": "1",
      "sms.confirmed": "1",
      "status.delivered": "1",
    });
  });

  it.each([
    ["repeated", ["delivered", "delivered", "sent", "delivered"], "confirmed"],
    ["out of order", ["delivered", "sent", "queued"], "confirmed"],
    ["contradicted", ["delivered", 30_003, "failed"], "confirmed"],
    ["that it did not arrive, contradicted", [30_003, "delivered", "sent"], "failed"],
    ["that nobody knows", ["on its way to the moon"], "delivered"],
  ] as const)("%s changes nothing more", async (_how, words, state) => {
    const one = await sent();
    await say(one, ...words);
    const note = await read(one.note);
    expect(note.channels.sms.state).toBe(state);
    await say(one, ...words);
    expect((await read(one.note)).timeline).toBe(note.timeline);
  });

  it("that comes before the answer of the request settles it once", async () => {
    const note = await scene.note();
    let heard: Promise<unknown> | undefined;
    scene.beforeAnswer = async (message) => {
      heard = scene.twilio.report(message, { status: "delivered" });
      await heard;
    };
    const message = await scene.send(note);
    if (message === undefined) throw new Error("nothing was taken");
    const one = { note, message };
    expect(await heard).toBe(204);
    await scene.work();
    expect(await read(one.note)).toMatchObject({
      status: "delivered",
      channels: { sms: { state: "confirmed" } },
    });
    expect(await scene.book.counters(one.note)).toMatchObject({ "sms.delivered": "1" });
  });
});

describe("a carrier that could not deliver it", () => {
  it.each([
    [30_001, "queue_overflow"],
    [30_002, "account_suspended"],
    [30_003, "handset_unreachable"],
    [30_004, "message_blocked"],
    [30_005, "handset_unknown"],
    [30_006, "landline_or_carrier_unreachable"],
    [30_007, "filtered_by_carrier"],
    [30_008, "carrier_said_no_more"],
  ])("for %i is put in words, and the notification has failed", async (code, words) => {
    const one = await sent();
    await say(one, "sent", code);
    const note = await read(one.note);
    expect(note).toMatchObject({
      status: "failed",
      stage: null,
      channels: { sms: { state: "failed", reason: "undelivered" } },
    });
    expect(note.timeline).toContain(` sms delivered failed undelivered:${code}_${words}\n`);
    expect(await scene.book.counters(one.note)).toMatchObject({
      "status.failed": "1",
      "status.delivered": "0",
      "latency.count": "0",
    });
  });

  it("and does not say why says no more than that", async () => {
    const one = await sent();
    await say(one, "undelivered");
    expect((await read(one.note)).timeline).toContain(" sms delivered failed undelivered\n");
  });

  it("leaves a dead letter that a person can have sent again", async () => {
    const one = await sent();
    await say(one, 30_003);
    scene.book.clock.advance(60_000);
    expect((await scene.book.deadNotes.list({ limit: 10 })).entries).toHaveLength(1);
    expect((await scene.book.deadNotes.redrive(one.note.id, { by: "boss" })).kind).toBe("redriven");
    await scene.work();
    expect(await smsOf(one)).toBe("delivered");
    expect(scene.twilio.received).toHaveLength(2);
    // The second one is another message: what is said of the first is old news.
    await say(one, 30_005);
    expect(await smsOf(one)).toBe("delivered");
  });

  it("is not contradicted by what is heard of an earlier SMS of it", async () => {
    const first = await sent();
    await say(first, 30_003);
    scene.book.clock.advance(60_000);
    await scene.book.deadNotes.redrive(first.note.id, { by: "boss" });
    await scene.work();
    const message = scene.twilio.received[1];
    if (message === undefined) throw new Error("nothing was sent again");
    await say({ note: first.note, message }, 30_005);
    await say(first, "sent");
    expect(await smsOf(first)).toBe("failed");
    expect((await read(first.note)).status).toBe("failed");
  });

  it("because the person wrote STOP, suppresses the number", async () => {
    const one = await sent();
    await say(one, 21_610);
    expect((await read(one.note)).channels.sms).toMatchObject({
      state: "failed",
      reason: "opted_out",
    });
    expect(scene.optedOut).toEqual([PHONE]);
  });

  it("because the person wrote STOP, is old news when it is said again after a START", async () => {
    const one = await sent();
    await say(one, 21_610);
    scene.optedOut.splice(0);
    await say(one, 21_610);
    expect(scene.optedOut).toEqual([]);
    // Nothing is known of it any more: a request that somebody kept, played again.
    scene.book.clock.advance(31 * 86_400_000);
    const { redis, keyspace } = scene.book.store;
    await redis.del(keyspace.sharded(keyspace.shardOfUser(one.note.userId), `sms:${one.note.id}`));
    await say(one, 21_610);
    expect(scene.optedOut).toEqual([]);
  });

  it("has the chain go on with a channel that was not needed, with what it had said", async () => {
    const { book } = scene;
    const one = await sent({ channels: pushLeft() });
    await say(one, 30_003);
    expect(await read(one.note)).toMatchObject({
      status: "queued",
      stage: "push",
      channels: { push: { state: "pending" }, sms: { state: "failed" } },
      request: { data: { student_name: "Sarah" } },
    });
    const key = book.key(one.note.userId, `rec:${one.note.id}`);
    expect(await book.store.redis.ttl(key)).toBe(-1);
  });

  it.each<[string, (one: Sent) => Promise<unknown>]>([
    ["its time is over", async () => await Promise.resolve(scene.book.clock.advance(60_000))],
    [
      "what it said is no longer kept",
      async ({ note }) => {
        const { redis } = scene.book.store;
        expect(await redis.del(scene.book.key(note.userId, `sms-request:${note.id}`))).toBe(1);
      },
    ],
  ])("ends where %s, whatever channel is left", async (_why, pass) => {
    const { book } = scene;
    const one = await sent({ channels: pushLeft(), expiresAt: book.clock.now() + 60_000 });
    await pass(one);
    await say(one, 30_003);
    expect(await read(one.note)).toMatchObject({
      status: "failed",
      stage: null,
      channels: { push: { state: "skipped" }, sms: { state: "failed" } },
    });
  });

  it("fails no notification that reached the person otherwise, and keeps nothing of it", async () => {
    const { book } = scene;
    const one = await sent({ channels: pushLeft() });
    await book.receive({ noteId: one.note.id, channel: "websocket", kind: "confirmed" });
    await say(one, 30_003);
    expect(await read(one.note)).toMatchObject({
      status: "delivered",
      channels: { push: { state: "skipped" }, sms: { state: "failed" } },
      request: null,
    });
    expect(await scene.book.counters(one.note)).toMatchObject({ "status.delivered": "1" });
  });

  it("is told to other services, and to the audit trail", async () => {
    const one = await sent();
    await say(one, 30_003);
    const told = await scene.book.outcomes(one.note.userId);
    expect(told.map(({ data }) => `${data.outcome} ${data.status}`)).toEqual([
      "settled delivered",
      "settled failed",
    ]);
  });
});
