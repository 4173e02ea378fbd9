/** What other services hear of notifications: each change once, with ids and words, never the message. */
import { closeChannel } from "../../src/delivery/note-steps.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomeEventSchema } from "../../src/contract/outcome-event.ts";
import { cancel } from "../../src/delivery/note-steps.ts";
import type { Note } from "../../src/tracking/note.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger({ outcomes: true, recipientLimitPerMinute: 2 });
});

afterAll(async () => {
  await book.store.close();
});

async function told(note: Pick<Note, "id" | "userId">) {
  const events = await book.outcomes(note.userId);
  return events.filter(({ data }) => data.notification_id === note.id);
}

const onlyWebsocket = () => ({ websocket: book.open(), push: book.shut(), sms: book.shut() });

describe("a notification that settles", () => {
  it("is told of with its ids, what became of each channel, and when", async () => {
    const acceptedAt = book.clock.now();
    let note = await book.create({
      userId: "anna",
      correlationId: "batch-77",
      eventId: "event-5",
      channels: { websocket: book.open(), push: book.open(), sms: book.shut() },
    });
    book.clock.advance(20);
    note = await book.apply(book.close(note, "websocket", "skipped"));
    expect(await told(note)).toEqual([]);
    book.clock.advance(30);
    await book.apply(book.close(note, "push", "failed"));

    const [event, ...others] = await told(note);
    expect(others).toEqual([]);
    const at = new Date(acceptedAt + 50).toISOString();
    const since = (ms: number): string => new Date(acceptedAt + ms).toISOString();
    const shard = book.store.keyspace.shardOfUser("anna");
    const outcomeId = expect.stringMatching(new RegExp(`^${shard}-\\d+-\\d+$`));
    expect(outcomeEventSchema.parse(event)).toEqual({
      event_id: outcomeId,
      event_type: "notifications.outcome.v1",
      event_timestamp: at,
      source_service: "schoolbell",
      correlation_id: "batch-77",
      data: {
        outcome_id: event?.event_id,
        outcome: "settled",
        notification_id: note.id,
        event_id: "event-5",
        correlation_id: "batch-77",
        user_id: "anna",
        template_id: "iep_meeting_reminder",
        notification_type: "iep_reminder",
        caller: "service",
        status: "failed",
        channels: {
          websocket: { status: "skipped", reason: "offline", at: since(20) },
          push: { status: "failed", reason: "rejected", at: since(50) },
          sms: { status: "skipped", reason: "not_requested", at: since(0) },
        },
        accepted_at: since(0),
        at,
      },
    });
    // Its request is kept, as it failed; it is not put down for others.
    expect((await book.read(note.id)).request?.data).toEqual({ student_name: "Sarah" });
    const putDown = await book.store.redis.xrange(book.key("anna", "told"), "-", "+");
    expect(JSON.stringify([putDown, event])).not.toContain("Sarah");
  });

  it("is told as settled and as confirmed when the ack came with it, and counts as both once", async () => {
    const note = await book.create({ userId: "cora", channels: onlyWebsocket() });
    const before = await book.counters(note);
    const at = book.clock.now();
    const closing = { channel: "websocket", to: "delivered", reason: null } as const;
    const times = { now: at + 5, handOverAt: at, confirmedAt: at + 60 };
    const settled = await book.apply(closeChannel(note, { ...closing, ...times }));
    expect(settled.channels.websocket).toEqual({
      state: "confirmed",
      reason: null,
      at: at + 5,
      confirmedAt: at + 60,
    });
    expect((await told(note)).map(({ data }) => data.outcome)).toEqual(["settled", "confirmed"]);
    await book.receive({ noteId: note.id, channel: "websocket", kind: "confirmed" });
    expect(await told(note)).toHaveLength(2);
    const after = await book.counters(note);
    const added = (field: string) => Number(after[field] ?? 0) - Number(before[field] ?? 0);
    for (const field of ["status.delivered", "websocket.delivered", "websocket.confirmed"]) {
      expect(added(field)).toBe(1);
    }
  });

  it("has its own id as correlation id where none was given", async () => {
    const draft = book.draft({ userId: "bo", channels: onlyWebsocket() });
    await book.ledger.accept([{ ...draft, correlationId: draft.id }]);
    await book.apply(book.close(await book.read(draft.id), "websocket", "delivered"));
    const [event] = await told(draft);
    expect(event?.correlation_id).toBe(draft.id);
    expect(event?.data).not.toHaveProperty("event_id");
  });

  it("is told of when it is cancelled, or held back from the start", async () => {
    const scheduled = await book.create({ userId: "cy", status: "scheduled" });
    await book.apply(cancel(scheduled, book.clock.now()));
    expect((await told(scheduled)).map(({ data }) => data.status)).toEqual(["cancelled"]);

    const flood = Array.from({ length: 3 }, () => book.draft({ userId: "di", priority: "low" }));
    expect((await book.ledger.accept(flood)).at(-1)).toBe("suppressed");
    await book.ledger.accept(flood);
    const held = (await book.outcomes("di")).map(({ data }) => [data.outcome, data.status]);
    expect(held).toEqual([["settled", "suppressed"]]);
  });
});

describe("what happens after a notification has settled", () => {
  it("is told of: reached after all, and confirmed", async () => {
    let note = await book.create({ userId: "eve", channels: onlyWebsocket() });
    note = await book.apply(book.close(note, "websocket", "failed"));
    const confirmed = { noteId: note.id, channel: "websocket", kind: "confirmed" } as const;
    await book.receive(confirmed, confirmed);
    await book.receive(confirmed);
    const events = await told(note);
    expect(events.map(({ data }) => [data.outcome, data.status])).toEqual([
      ["settled", "failed"],
      ["late", "delivered"],
      ["confirmed", "delivered"],
    ]);
    expect(events.at(-1)?.data.channels.websocket).toMatchObject({
      status: "delivered",
      confirmed_at: new Date(book.clock.now()).toISOString(),
    });
    const ids = events.map(({ event_id: id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is told of: sent again by an operator, and how that ended", async () => {
    let note = await book.create({ userId: "flo", channels: onlyWebsocket() });
    await book.apply(book.close(note, "websocket", "failed"));
    await book.deadNotes.redrive(note.id, { by: "boss" });
    note = await book.read(note.id);
    await book.apply(book.close(note, "websocket", "delivered"));
    expect((await told(note)).map(({ data }) => [data.outcome, data.status])).toEqual([
      ["settled", "failed"],
      ["redriven", "queued"],
      ["settled", "delivered"],
    ]);
  });
});

describe("without Kafka", () => {
  it("nothing is put down that nobody would fetch", async () => {
    const off = await openTestLedger({ outcomes: false });
    const channels = { websocket: off.open(), push: off.shut(), sms: off.shut() };
    const note = await off.create({ userId: "gus", channels });
    await off.apply(off.close(note, "websocket", "failed"));
    await off.receive({ noteId: note.id, channel: "websocket", kind: "confirmed" });
    expect((await off.read(note.id)).channels.websocket.state).toBe("confirmed");
    expect(await off.outcomes("gus")).toEqual([]);
    expect(await off.ledger.outcomeBacklog()).toBe(0);
    await off.store.close();
  });
});
