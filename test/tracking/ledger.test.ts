/** The ledger against a real Redis: created once, changed only under its fence, due until settled. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { markSent } from "../../src/delivery/note-steps.ts";
import { claim } from "../../src/delivery/provider-steps.ts";
import { afterChange } from "../../src/tracking/ledger-changes.ts";
import type { Note } from "../../src/tracking/note.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "./test-ledger.ts";

let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger();
});

afterAll(async () => {
  await book.store.close();
});

async function dueAt(note: Note): Promise<string | null> {
  return await book.store.redis.zscore(book.key(note.userId, "due"), note.id);
}

describe("a note", () => {
  it("is created once, however often it is accepted", async () => {
    const note = book.draft({ userId: "once" });
    expect(await book.ledger.accept([note, note])).toEqual(["created", "waiting"]);
    expect(await book.ledger.accept([{ ...note, priority: "low" }])).toEqual(["waiting"]);
    expect((await book.read(note.id)).priority).toBe("high");
    expect((await book.counters(await book.read(note.id)))["total"]).toBe("1");
  });

  it("has a due entry from the start until it settles", async () => {
    let note = await book.create({ userId: "due" });
    expect(await dueAt(note)).toBe(String(book.clock.now() + LEASE_MS));
    note = await book.apply(book.close(note, "websocket", "skipped"));
    note = await book.apply(claim(note, "push", book.clock.now(), LEASE_MS));
    expect(await dueAt(note)).not.toBeNull();
    note = await book.apply(book.close(note, "push", "delivered"));
    expect(note.status).toBe("delivered");
    expect(await dueAt(note)).toBeNull();
  });

  it("takes of two decisions on the same state only the first", async () => {
    const note = await book.create({ userId: "fence" });
    const change = book.close(note, "websocket", "skipped");
    expect(await book.ledger.advance([change, change])).toEqual([true, false]);
    expect(await book.ledger.advance([change])).toEqual([false]);
    expect((await book.read(note.id)).fence).toBe(book.clock.now());
  });

  it("lets no decision undo what was written between the two before it", async () => {
    const note = await book.create({ userId: "receipts" });
    const offline = await book.apply(book.close(note, "websocket", "skipped"));
    book.clock.advance(10);
    await book.receive({ noteId: note.id, channel: "websocket", kind: "confirmed" });
    book.clock.advance(10);
    // A worker that has read the note before goes on with what it takes for its version.
    const claimed = claim(offline, "push", book.clock.now(), LEASE_MS);
    expect(await book.ledger.advance([claimed])).toEqual([true]);
    const concluded = book.close(afterChange(claimed), "push", "delivered");
    expect(await book.ledger.advance([concluded])).toEqual([true]);
    expect((await book.read(note.id)).channels).toMatchObject({
      websocket: { state: "confirmed" },
      push: { state: "delivered" },
    });
  });

  it("forgets its request when it settles, unless somebody may want to send it again", async () => {
    const only = {
      push: { ...book.open(), state: "skipped" },
      sms: { ...book.open(), state: "skipped" },
    } as const;
    const channels = { websocket: book.open(), ...only };
    const stored = await book.create({ userId: "kept", channels });
    expect((await book.apply(book.close(stored, "websocket", "skipped"))).request).toBeNull();
    const failed = await book.create({ userId: "kept", channels });
    expect((await book.apply(book.close(failed, "websocket", "failed"))).request).not.toBeNull();
  });

  it("is leased to one worker at a time, and comes back when the lease is over", async () => {
    const note = await book.create({ userId: "leased" });
    const shard = book.store.keyspace.shardOfUser(note.userId);
    const due = async () =>
      (await book.ledger.leaseDue(shard, LEASE_MS, 100)).filter(({ id }) => id === note.id);
    expect(await due()).toEqual([]);
    book.clock.advance(LEASE_MS);
    expect(await due()).toEqual([
      { id: note.id, userId: "leased", stage: "websocket", lane: "normal", attempt: 0 },
    ]);
    expect(await due()).toEqual([]);
    book.clock.advance(LEASE_MS);
    expect(await due()).toHaveLength(1);
  });
});

describe("a receipt that comes while another channel is in flight", () => {
  it("is not erased by what was decided before it", async () => {
    let note = await book.create({ userId: "late-ack" });
    note = await book.apply(book.close(note, "websocket", "skipped"));
    const inFlight = await book.apply(claim(note, "push", book.clock.now(), LEASE_MS));
    await book.receive({ noteId: note.id, channel: "websocket", kind: "confirmed" });
    note = await book.apply(book.close(inFlight, "push", "failed"));
    // Push failed, and SMS is next; its stage will see that the person was reached.
    expect(note.channels.websocket.state).toBe("confirmed");
    expect(note.channels.websocket.confirmedAt).not.toBeNull();

    const last = await book.apply(claim(note, "sms", book.clock.now(), LEASE_MS));
    const settled = await book.apply(book.close(last, "sms", "failed"));
    expect(settled.status).toBe("delivered");
    expect(settled.timeline).toContain("websocket delivered confirmed");
    expect(await book.counters(settled)).toMatchObject({
      "websocket.delivered": "1",
      "websocket.confirmed": "1",
      "push.failed": "1",
      "status.delivered": "1",
      "latency.count": "1",
    });
  });

  it("about that very channel makes the step in flight void, and the note is looked at again", async () => {
    let note = await book.create({ userId: "early-receipt" });
    note = await book.apply(book.close(note, "websocket", "skipped"));
    const inFlight = await book.apply(claim(note, "push", book.clock.now(), LEASE_MS));
    await book.receive({ noteId: note.id, channel: "push", kind: "confirmed" });
    expect(await book.ledger.advance([book.close(inFlight, "push", "failed")])).toEqual([false]);
    expect(await dueAt(note)).toBe(String(book.clock.now()));
    expect((await book.read(note.id)).channels.push.state).toBe("confirmed");
  });

  it("counts once, however often it is said", async () => {
    const fresh = await book.create({ userId: "again-and-again" });
    const now = (): number => book.clock.now();
    const note = await book.apply(markSent(fresh, now(), now() + LEASE_MS));
    const before = await book.counters(note);
    for (let times = 0; times < 3; times += 1) {
      await book.receive(
        { noteId: note.id, channel: "websocket", kind: "delivered" },
        { noteId: note.id, channel: "websocket", kind: "confirmed" },
      );
    }
    const after = await book.counters(note);
    for (const field of ["websocket.delivered", "websocket.confirmed"]) {
      expect(Number(after[field]) - Number(before[field] ?? 0)).toBe(1);
    }
    const lines = (await book.read(note.id)).timeline.match(/delivered confirmed/g);
    expect(lines).toHaveLength(1);
  });

  it("turns what had failed into delivered, and moves its counters", async () => {
    const note = await book.create({
      userId: "after-the-end",
      channels: {
        websocket: book.open(),
        push: { ...book.open(), state: "skipped" },
        sms: { ...book.open(), state: "skipped" },
      },
    });
    const failed = await book.apply(book.close(note, "websocket", "failed"));
    expect(failed.status).toBe("failed");
    const before = await book.counters(failed);
    await book.receive({ noteId: note.id, channel: "websocket", kind: "delivered" });
    expect(await book.read(note.id)).toMatchObject({ status: "delivered", request: null });
    const after = await book.counters(failed);
    const moved = (field: string): number => Number(after[field] ?? 0) - Number(before[field] ?? 0);
    expect(moved("status.failed")).toBe(-1);
    expect(moved("status.delivered")).toBe(1);
    expect(moved("websocket.failed")).toBe(-1);
    expect(moved("late")).toBe(1);
  });
});

describe("counters of notification types", () => {
  it("stay bounded, whatever callers invent", async () => {
    const notes = Array.from({ length: 300 }, (_, index) =>
      book.draft({ userId: "inventor", notificationType: `type_${index}` }),
    );
    await book.ledger.accept(notes);
    const fields = await book.counters(await book.read(notes[0]?.id ?? ""));
    const types = Object.keys(fields).filter((field) => field.startsWith("type:"));
    expect(types.length).toBeLessThanOrEqual(201);
    const sum = types.reduce((total, field) => total + Number(fields[field]), 0);
    expect(sum).toBe(Number(fields["total"]));
  });
});
