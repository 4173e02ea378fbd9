/** What a socket gets that asks for whatever never met one: closed as missed, or still under way. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { markSent } from "../../src/delivery/note-steps.ts";
import { createHistory, type History } from "../../src/tracking/history.ts";
import { afterChange, type NewNote } from "../../src/tracking/ledger-changes.ts";
import type { Note } from "../../src/tracking/note.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "./test-ledger.ts";

const ANSWER_MS = 2_500;
const FLIGHT_MS = 90_000;
/** As the test ledger is told. */
const PENDING_MS = 300_000;

let book: TestLedger;
let history: History;
let users = 0;
const newUser = (): string => `pending-${(users += 1)}`;

beforeAll(async () => {
  book = await openTestLedger();
  history = createHistory({ ...book.store, clock: book.clock, size: 100 });
});

afterAll(async () => {
  await book.store.close();
});

/** Sends a frame; the note as the worker then has it. */
async function send(note: Note): Promise<Note> {
  const now = book.clock.now();
  const sent = markSent(note, now, now + ANSWER_MS);
  const publication = { body: "{}", wantsAck: false, sent, after: afterChange(sent) };
  const [published] = await book.ledger.publish([publication], "worker");
  return {
    ...publication.after,
    replayId: published?.replayId ?? "",
    epoch: published?.epoch ?? "",
  };
}

const publish = async (userId: string, changes: Partial<NewNote> = {}): Promise<Note> =>
  await send(await book.create({ userId, ...changes }));

async function publishMany(userId: string, count: number): Promise<Note[]> {
  const notes: Note[] = [];
  for (let sent = 0; sent < count; sent += 1) notes.push(await publish(userId));
  return notes;
}

/** The replay ids that a first socket of the user is sent. */
async function asked(userId: string): Promise<{ ids: number[]; missing: number }> {
  const joining = { userId, nodeId: "node", sockets: 1, replay: { kind: "pending" } } as const;
  const { entries, missing } = await history.join(joining);
  return { ids: entries.map(({ replayId }) => replayId), missing };
}

describe("a socket that asks for what never met one", () => {
  it("gets what is on its way, and not what another socket was sent meanwhile", async () => {
    const user = newUser();
    const first = await publish(user);
    await publish(user);
    expect(await asked(user)).toEqual({ ids: [1, 2], missing: 0 });
    await book.apply(book.close(first, "websocket", "delivered"));
    expect(await asked(user)).toEqual({ ids: [2], missing: 0 });
  });

  it("gets what was given up, for as long as it is kept for that", async () => {
    const user = newUser();
    await book.apply(book.close(await publish(user), "websocket", "skipped"));
    await book.apply(book.close(await publish(user), "websocket", "failed"));
    await book.apply(book.close(await publish(user), "websocket", "delivered"));
    expect(await asked(user)).toEqual({ ids: [1, 2], missing: 0 });
    book.clock.advance(PENDING_MS);
    expect(await asked(user)).toEqual({ ids: [], missing: 0 });
  });

  it("does not get again what a replay delivered", async () => {
    const user = newUser();
    const note = await publish(user);
    await book.apply(book.close(note, "websocket", "skipped"));
    await book.receive({ noteId: note.id, channel: "websocket", kind: "delivered" });
    expect(await asked(user)).toEqual({ ids: [], missing: 0 });
  });

  it("gets what a worker sent that died before it wrote down the answer", async () => {
    const user = newUser();
    const note = await publish(user);
    const shard = book.store.keyspace.shardOfUser(user);
    for (let lease = 0; lease < 3; lease += 1) {
      book.clock.advance(LEASE_MS);
      const due = await book.ledger.leaseDue(shard, LEASE_MS, 100);
      expect(due.map(({ id }) => id)).toContain(note.id);
    }
    // By then later messages have moved what may be under way past it, twice.
    for (let later = 0; later < 3; later += 1) {
      await book.apply(book.close(await publish(user), "websocket", "delivered"));
      book.clock.advance(FLIGHT_MS + 1);
      await book.ledger.leaseDue(shard, LEASE_MS, 100);
    }
    expect(await asked(user)).toEqual({ ids: [1], missing: 0 });
  });

  it("does not get again what a worker delivered after the due index had given it up", async () => {
    const user = newUser();
    const note = await publish(user);
    book.clock.advance(LEASE_MS);
    await book.ledger.leaseDue(book.store.keyspace.shardOfUser(user), LEASE_MS, 100);
    expect(await asked(user)).toEqual({ ids: [1], missing: 0 });
    await book.apply(book.close(note, "websocket", "delivered"));
    expect(await asked(user)).toEqual({ ids: [], missing: 0 });
  });

  it("gets it as well when no worker is left to look for it", async () => {
    const user = newUser();
    await publish(user);
    for (let later = 0; later < 3; later += 1) {
      await book.apply(book.close(await publish(user), "websocket", "delivered"));
      book.clock.advance(FLIGHT_MS + 1);
    }
    expect(await asked(user)).toEqual({ ids: [1], missing: 0 });
  });

  it("is told that some are missing when more is on its way than a history keeps", async () => {
    const user = newUser();
    const sent = await publishMany(user, 105);
    // Five are in the list still, behind its end.
    expect(await asked(user)).toMatchObject({ missing: 1 });
    sent.push(...(await publishMany(user, 6)));
    // Now they are cut off.
    const { ids, missing } = await asked(user);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => index + 12));
    expect(missing).toBe(1);
    for (const note of sent) await book.apply(book.close(note, "websocket", "delivered"));
    expect(await asked(user)).toEqual({ ids: [], missing: 0 });
    expect(await book.store.redis.exists(book.key(user, `pend:${user}`))).toBe(0);
  });

  it("is told so as well once those were given up", async () => {
    const user = newUser();
    const sent = await publishMany(user, 111);
    for (const note of sent) await book.apply(book.close(note, "websocket", "skipped"));
    expect((await asked(user)).missing).toBe(11);
  });

  it("is told of no gap when another socket was sent what is no longer kept", async () => {
    const user = newUser();
    for (let sent = 0; sent < 125; sent += 1) {
      await book.apply(book.close(await publish(user), "websocket", "delivered"));
    }
    expect(await asked(user)).toEqual({ ids: [], missing: 0 });
  });

  it("gets what is sent again only at its new place", async () => {
    const user = newUser();
    const [push, sms] = [book.shut(), book.shut()];
    const note = await publish(user, { channels: { websocket: book.open(), push, sms } });
    await book.apply(book.close(note, "websocket", "failed"));
    expect(await asked(user)).toEqual({ ids: [1], missing: 0 });
    await book.deadNotes.redrive(note.id, { by: "operator" });
    expect(await asked(user)).toEqual({ ids: [], missing: 0 });
    await send(await book.read(note.id));
    expect(await asked(user)).toEqual({ ids: [2], missing: 0 });
  });

  it("looks only at what can be under way, while all is taken up in time", async () => {
    const user = newUser();
    const stuck = await publish(user);
    await book.apply(book.close(stuck, "websocket", "delivered"));
    book.clock.advance(2 * FLIGHT_MS);
    const meta = book.key(user, `meta:${user}`);
    for (const floor of ["1", "2"]) {
      await book.apply(book.close(await publish(user), "websocket", "delivered"));
      expect(await book.store.redis.hget(meta, "flight_floor")).toBe(floor);
      book.clock.advance(2 * FLIGHT_MS);
    }
  });
});

describe("a history", () => {
  it("is cut back to its size once it is a tenth longer", async () => {
    const user = newUser();
    const lengths: number[] = [];
    for (let sent = 0; sent < 112; sent += 1) {
      await publish(user);
      const elements = await book.store.redis.llen(book.key(user, `hist:${user}`));
      lengths.push(elements / 2);
    }
    expect(lengths.slice(98)).toEqual([
      99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 100, 101,
    ]);
  });
});
