/**
 * A Redis that comes back with older data takes notes back to what they were. Decisions and answers from
 * before must not fit what becomes of the notes afterwards.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import { markSent, waitUntil } from "../../src/delivery/note-steps.ts";
import { claim } from "../../src/delivery/provider-steps.ts";
import type { Note } from "../../src/tracking/note.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "./test-ledger.ts";

let book: TestLedger;

beforeEach(async () => {
  book = await openTestLedger();
});
afterEach(() => book.store.close());

/** Keeps the note as Redis has it now; the function returned takes it back to that, a while later. */
async function keep({ id, userId }: Note): Promise<() => Promise<void>> {
  const { redis } = book.store;
  const key = book.key(userId, `rec:${id}`);
  const kept = await redis.dumpBuffer(key);
  if (kept === null) throw new Error("the note is not there");
  return async () => {
    await redis.restore(key, 0, kept, "REPLACE");
    book.clock.advance(1_000);
  };
}

const confirmed = (note: Note) =>
  ({ noteId: note.id, channel: "websocket", kind: "confirmed" }) as const;

it("a frame that was acknowledged and lost its place in the history is sent anew", async () => {
  const note = await book.create();
  const takeBack = await keep(note);
  await book.apply(markSent(note, book.clock.now(), book.clock.now() + LEASE_MS));
  await takeBack();
  await book.receive(confirmed(note));
  expect(await book.read(note.id)).toMatchObject({
    status: "queued",
    stage: "websocket",
    channels: { websocket: { state: "pending" } },
  });
  expect(await book.counters(note)).not.toHaveProperty("websocket.confirmed");
});

it("what was decided on a sent note does not undo what its recipient has confirmed since", async () => {
  const created = await book.create();
  const now = (): number => book.clock.now();
  const note = await book.apply(markSent(created, now(), now() + LEASE_MS));
  const takeBack = await keep(note);
  const sent = await book.apply(markSent(note, now(), now() + LEASE_MS));
  await takeBack();
  await book.receive(confirmed(note));
  expect(await book.ledger.advance([book.close(sent, "websocket", "skipped")])).toEqual([false]);
  expect(await book.read(note.id)).toMatchObject({
    channels: { websocket: { state: "confirmed" } },
  });
});

it("an SMS that was claimed before is not claimed again by what was decided then", async () => {
  const channels = { websocket: book.shut(), push: book.shut(), sms: book.open() };
  const note = await book.create({ stage: "sms", channels });
  const takeBack = await keep(note);
  const waiting = await book.apply(waitUntil(note, book.clock.now() + 1, book.clock.now()));
  const late = claim(waiting, "sms", book.clock.now(), LEASE_MS);
  await takeBack();
  await book.apply(claim(note, "sms", book.clock.now(), LEASE_MS));
  expect(await book.ledger.advance([late])).toEqual([false]);
});
