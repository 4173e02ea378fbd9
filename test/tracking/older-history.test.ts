/** A history that an older version began, with messages of this one on top: read as one. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { markSent } from "../../src/delivery/note-steps.ts";
import { createHistory, type History, type JoinRequest } from "../../src/tracking/history.ts";
import { afterChange } from "../../src/tracking/ledger-changes.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

const OLDER = 3;
const EPOCH = "older";

let book: TestLedger;
let history: History;

beforeAll(async () => {
  book = await openTestLedger();
  history = createHistory({ ...book.store, clock: book.clock, size: 100 });
});

afterAll(async () => {
  await book.store.close();
});

/** As version 1.1 wrote: one element for each message. */
async function begin(userId: string): Promise<void> {
  const { redis } = book.store;
  for (let id = 1; id <= OLDER; id += 1) {
    await redis.lpush(
      book.key(userId, `hist:${userId}`),
      `${id} ${EPOCH} note-${id} {"body":"a b ${id}"}`,
    );
    await redis.zadd(book.key(userId, `pend:${userId}`), book.clock.now() + 300_000, id);
  }
  const run = /run_id:(\w+)/.exec(await redis.info("server"))?.[1] ?? "";
  await redis.set(book.key(userId, "gen"), `${run} 1`);
  await redis.hset(book.key(userId, `meta:${userId}`), {
    gen: 1,
    epoch: EPOCH,
    base: 0,
    last: OLDER,
  });
}

async function publish(userId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const change = markSent(await book.create({ userId }), book.clock.now(), book.clock.now() + 1);
    const body = '{"body":"new"}';
    await book.ledger.publish(
      [{ body, wantsAck: false, sent: change, after: afterChange(change) }],
      "w",
    );
    ids.push(change.note.id);
  }
  return ids;
}

const join = (userId: string, replay: JoinRequest["replay"]) =>
  history.join({ userId, nodeId: "node", sockets: 1, replay });

it.each([0, 1, 4])("is replayed whole, with %i newer messages", async (count) => {
  const userId = `older-${count}`;
  await begin(userId);
  const ids = await publish(userId, count);
  const notes = [...["1", "2", "3"].map((id) => `note-${id}`), ...ids];
  const expected = notes.map((noteId, at) => ({
    replayId: at + 1,
    epoch: EPOCH,
    noteId,
    payload: at < OLDER ? `{"body":"a b ${at + 1}"}` : '{"body":"new"}',
  }));
  const whole = await join(userId, { kind: "after", id: 0, epoch: EPOCH });
  expect(whole).toMatchObject({ epoch: EPOCH, last: OLDER + count, oldest: 1 });
  expect(whole.entries).toEqual(expected);
  for (let from = 1; from <= OLDER + count; from += 1) {
    const after = await join(userId, { kind: "after", id: from, epoch: EPOCH });
    expect(after.entries).toEqual(expected.slice(from));
    expect((await history.since(userId, { epoch: EPOCH, id: from })).entries).toEqual(
      expected.slice(from),
    );
    const range = { epoch: EPOCH, above: from - 1, through: from };
    expect((await history.notes(userId, range)).map(({ noteId }) => noteId)).toEqual([
      notes[from - 1],
    ]);
  }
  const asked = await join(userId, { kind: "pending" });
  expect(asked).toMatchObject({ missing: 0, entries: expected });
});
