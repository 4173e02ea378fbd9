/** After a restore: no phone rings for what may have been sent, and every note still ends, counted once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { markSent } from "../../src/delivery/note-steps.ts";
import { claim } from "../../src/delivery/provider-steps.ts";
import { giveUp, withholdText } from "../../src/delivery/restored-notes.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";

let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger();
});
afterAll(() => book.store.close());

const later = (): number => book.clock.now() + LEASE_MS;

describe("an SMS that is withheld", () => {
  it("is unknown, while the message goes on by the other channels, and is never its next stage", async () => {
    const note = await book.create({ userId: "on" });
    const change = withholdText(note, book.clock.now(), later());
    if (change === undefined) throw new Error("there was an SMS to withhold");
    const held = await book.apply(change);
    expect(held).toMatchObject({ status: "queued", stage: "websocket" });
    expect(held.channels.sms).toMatchObject({ state: "unknown", reason: "unknown" });
    expect(await book.store.redis.zscore(book.key("on", "due"), note.id)).not.toBeNull();
    const offline = await book.apply(book.close(held, "websocket", "skipped"));
    expect(offline.stage).toBe("push");
    const ended = await book.apply(book.close(offline, "push", "skipped"));
    expect(ended.status).toBe("failed");
    const counted = await book.counters(ended);
    expect(counted).toMatchObject({ "sms.failed": "1", "status.failed": "1" });
    expect(counted["sms.sent"]).toBeUndefined();
  });

  it("ends a note whose turn it was, and is in the dead letters", async () => {
    const first = await book.create({ userId: "turn" });
    const second = await book.apply(book.close(first, "websocket", "skipped"));
    const third = await book.apply(book.close(second, "push", "skipped"));
    expect(third.stage).toBe("sms");
    const change = withholdText(third, book.clock.now(), later());
    if (change === undefined) throw new Error("there was an SMS to withhold");
    expect(await book.apply(change)).toMatchObject({ status: "failed", stage: null });
    const { entries } = await book.deadNotes.list({ limit: 10, reason: "unknown" });
    expect(entries.map(({ notification_id: id }) => id)).toContain(first.id);
  });

  it("is none where none is open", async () => {
    const none = await book.create({ channels: { ...channels(), sms: book.shut() } });
    expect(withholdText(none, book.clock.now(), later())).toBeUndefined();
  });
});

const channels = () => ({ websocket: book.open(), push: book.open(), sms: book.open() });

describe("a note that is given up", () => {
  it("has expired where nothing was begun", async () => {
    const note = await book.create({ userId: "up" });
    const ended = await book.apply(giveUp(note, book.clock.now()));
    expect(ended.status).toBe("expired");
    expect(Object.values(ended.channels).map(({ state }) => state)).toEqual(
      Array.from({ length: 3 }, () => "expired"),
    );
    expect(await book.store.redis.zscore(book.key("up", "due"), note.id)).toBeNull();
  });

  it("does not say that an SMS with the provider was not sent", async () => {
    const first = await book.create({ channels: { ...channels(), push: book.shut() } });
    const second = await book.apply(book.close(first, "websocket", "skipped"));
    const third = await book.apply(claim(second, "sms", book.clock.now(), LEASE_MS));
    const ended = await book.apply(giveUp(third, book.clock.now()));
    expect(ended.status).toBe("failed");
    expect(ended.channels.sms.state).toBe("unknown");
  });

  it("leaves no frame on its way", async () => {
    const first = await book.create({ userId: "frame" });
    const sent = await book.apply(markSent(first, book.clock.now(), later()));
    const ended = await book.apply(giveUp(sent, book.clock.now()));
    expect(ended.channels.websocket).toMatchObject({ state: "skipped", reason: "offline" });
    expect(ended.status).toBe("expired");
  });
});
