/** A million users that the product does not read would show that it does not mind them. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { closeChannel, markSent } from "../../src/delivery/note-steps.ts";
import { createHistory } from "../../src/tracking/history.ts";
import { afterChange } from "../../src/tracking/ledger-changes.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { makeKnown, type Original } from "./known-users.ts";

let book: TestLedger;
beforeAll(async () => {
  book = await openTestLedger();
});
afterAll(() => book.store.close());

/** One message that was sent to the user's history and settled. @returns its id */
async function tellOnce(userId: string): Promise<string> {
  const note = await book.create({ userId });
  const now = book.clock.now();
  const sent = markSent(note, now, now + LEASE_MS);
  const after = afterChange(sent);
  const [place] = await book.ledger.publish([{ body: "{}", wantsAck: false, sent, after }], "w");
  const { replayId = null, epoch = null } = place ?? {};
  const settled = closeChannel(
    { ...after, replayId, epoch },
    { channel: "websocket", to: "delivered", reason: null, now, handOverAt: now + LEASE_MS },
  );
  expect(await book.ledger.advance([settled])).toEqual([true]);
  return note.id;
}

it("those who are made known are read as the product reads its own", async () => {
  const { keyspace } = book.store;
  const candidates = Array.from({ length: 60 }, (_, at) => `teacher-${at + 1}`);
  const firstOfShard = new Map(
    candidates.toReversed().map((user) => [keyspace.shardOfUser(user), user]),
  );
  const originals: Original[] = [];
  for (const user of firstOfShard.values()) {
    originals.push({ user, notificationId: await tellOnce(user) });
  }
  const strangers = candidates.filter((user) => !originals.some((one) => one.user === user));
  await makeKnown(book.store, strangers, originals);

  const history = createHistory({ ...book.store, clock: book.clock, size: 100 });
  for (const user of strangers) {
    const view = await history.since(user, { epoch: null, id: 0 });
    expect(view.entries, user).toHaveLength(1);
    expect(view.last, user).toBe(1);
  }
});

it("says so where there is nobody to copy", async () => {
  await expect(makeKnown(book.store, ["stranger-1"], [])).rejects.toThrow("nobody is known");
});
