/** The ledger against a real Redis: created once, changed only under its fence, due until settled. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Channel } from "../../src/contract/vocabulary.ts";
import { claim, closeChannel } from "../../src/delivery/note-steps.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createLedger, type Ledger } from "../../src/tracking/ledger.ts";
import type { NewNote, NoteChange } from "../../src/tracking/ledger-changes.ts";
import type { ChannelRecord, Note } from "../../src/tracking/note.ts";
import { createReceipts, type Receipts } from "../../src/tracking/receipts.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const clock = createManualClock();
const LEASE_MS = 30_000;
let store: TestRedis;
let ledger: Ledger;
let receipts: Receipts;

beforeAll(async () => {
  store = await openTestRedis();
  const { redis, keyspace } = store;
  const sealing = createSealing(undefined);
  ledger = createLedger({
    redis,
    keyspace,
    clock,
    sealing,
    recipientLimitPerMinute: 0,
    historySize: 100,
    historySeconds: 3_600,
    pendingSeconds: 300,
    outcomes: false,
  });
  receipts = createReceipts({
    redis,
    keyspace,
    clock,
    logger: createSilentLogger(),
    outcomes: false,
  });
});

afterAll(async () => {
  await store.close();
});

const open = (): ChannelRecord => ({
  state: "pending",
  reason: null,
  at: clock.now(),
  confirmedAt: null,
});

function draft(changes: Partial<NewNote> = {}): NewNote {
  const userId = changes.userId ?? "teacher-1";
  return {
    id: store.keyspace.newNoteId(userId),
    userId,
    status: "queued",
    stage: "websocket",
    lane: "normal",
    acceptedAt: clock.now(),
    priority: "high",
    templateId: "iep_meeting_reminder",
    notificationType: "iep_reminder",
    family: "iep",
    strategy: "fallback",
    callerId: "service",
    correlationId: "c",
    eventId: null,
    replyTo: null,
    channels: { websocket: open(), push: open(), sms: open() },
    expiresAt: null,
    sendAt: null,
    request: { data: { student_name: "Sarah" }, correlation_id: "c" },
    dueAt: clock.now() + LEASE_MS,
    ...changes,
  };
}

async function read(id: string): Promise<Note> {
  const note = (await ledger.fetch([id])).get(id);
  if (note === undefined) throw new Error("the note is not there");
  return note;
}

async function create(changes: Partial<NewNote> = {}): Promise<Note> {
  const note = draft(changes);
  expect(await ledger.accept([note])).toEqual(["created"]);
  return await read(note.id);
}

/** Applies a change and returns the note as the ledger then has it. */
async function apply(change: NoteChange): Promise<Note> {
  expect(await ledger.advance([change])).toEqual([true]);
  return await read(change.note.id);
}

function close(note: Note, channel: Channel, to: "delivered" | "failed" | "skipped"): NoteChange {
  const reason = to === "delivered" ? null : to === "failed" ? "rejected" : "offline";
  return closeChannel(note, {
    channel,
    to,
    reason,
    now: clock.now(),
    handOverAt: clock.now() + LEASE_MS,
  });
}

async function dueAt(note: Note): Promise<string | null> {
  const shard = store.keyspace.shardOfUser(note.userId);
  return await store.redis.zscore(store.keyspace.sharded(shard, "due"), note.id);
}

async function counters(note: Note): Promise<Record<string, string>> {
  const shard = store.keyspace.shardOfUser(note.userId);
  return await store.redis.hgetall(store.keyspace.sharded(shard, `stat:${note.day}`));
}

describe("a note", () => {
  it("is created once, however often it is accepted", async () => {
    const note = draft({ userId: "once" });
    expect(await ledger.accept([note, note])).toEqual(["created", "waiting"]);
    expect(await ledger.accept([{ ...note, priority: "low" }])).toEqual(["waiting"]);
    expect((await read(note.id)).priority).toBe("high");
    expect((await counters(await read(note.id)))["total"]).toBe("1");
  });

  it("has a due entry from the start until it settles", async () => {
    let note = await create({ userId: "due" });
    expect(await dueAt(note)).toBe(String(clock.now() + LEASE_MS));
    note = await apply(close(note, "websocket", "skipped"));
    note = await apply(claim(note, "push", clock.now(), LEASE_MS));
    expect(await dueAt(note)).not.toBeNull();
    note = await apply(close(note, "push", "delivered"));
    expect(note.status).toBe("delivered");
    expect(await dueAt(note)).toBeNull();
  });

  it("takes of two decisions on the same state only the first", async () => {
    const note = await create({ userId: "fence" });
    const change = close(note, "websocket", "skipped");
    expect(await ledger.advance([change, change])).toEqual([true, false]);
    expect(await ledger.advance([change])).toEqual([false]);
    expect((await read(note.id)).fence).toBe(1);
  });

  it("forgets its request when it settles, unless somebody may want to send it again", async () => {
    const only = {
      push: { ...open(), state: "skipped" },
      sms: { ...open(), state: "skipped" },
    } as const;
    const channels = { websocket: open(), ...only };
    const stored = await create({ userId: "kept", channels });
    expect((await apply(close(stored, "websocket", "skipped"))).request).toBeNull();
    const failed = await create({ userId: "kept", channels });
    expect((await apply(close(failed, "websocket", "failed"))).request).not.toBeNull();
  });

  it("is leased to one worker at a time, and comes back when the lease is over", async () => {
    const note = await create({ userId: "leased" });
    const shard = store.keyspace.shardOfUser(note.userId);
    const due = async () =>
      (await ledger.leaseDue(shard, LEASE_MS, 100)).filter(({ id }) => id === note.id);
    expect(await due()).toEqual([]);
    clock.advance(LEASE_MS);
    expect(await due()).toEqual([
      { id: note.id, userId: "leased", stage: "websocket", lane: "normal", attempt: 0 },
    ]);
    expect(await due()).toEqual([]);
    clock.advance(LEASE_MS);
    expect(await due()).toHaveLength(1);
  });
});

describe("a receipt that comes while another channel is in flight", () => {
  it("is not erased by what was decided before it", async () => {
    let note = await create({ userId: "late-ack" });
    note = await apply(close(note, "websocket", "skipped"));
    const inFlight = await apply(claim(note, "push", clock.now(), LEASE_MS));
    receipts.record([{ noteId: note.id, channel: "websocket", kind: "confirmed" }]);
    await receipts.flush();
    note = await apply(close(inFlight, "push", "failed"));
    // Push failed, and SMS is next; its stage will see that the person was reached.
    expect(note.channels.websocket.state).toBe("confirmed");
    expect(note.channels.websocket.confirmedAt).not.toBeNull();

    const last = await apply(claim(note, "sms", clock.now(), LEASE_MS));
    const settled = await apply(close(last, "sms", "failed"));
    expect(settled.status).toBe("delivered");
    expect(settled.timeline).toContain("websocket delivered confirmed");
    expect(await counters(settled)).toMatchObject({
      "websocket.delivered": "1",
      "websocket.confirmed": "1",
      "push.failed": "1",
      "status.delivered": "1",
      "latency.count": "1",
    });
  });

  it("about that very channel makes the step in flight void, and the note is looked at again", async () => {
    let note = await create({ userId: "early-receipt" });
    note = await apply(close(note, "websocket", "skipped"));
    const inFlight = await apply(claim(note, "push", clock.now(), LEASE_MS));
    receipts.record([{ noteId: note.id, channel: "push", kind: "confirmed" }]);
    await receipts.flush();
    expect(await ledger.advance([close(inFlight, "push", "failed")])).toEqual([false]);
    expect(await dueAt(note)).toBe(String(clock.now()));
    expect((await read(note.id)).channels.push.state).toBe("confirmed");
  });

  it("counts once, however often it is said", async () => {
    const note = await create({ userId: "again-and-again" });
    const before = await counters(note);
    for (let times = 0; times < 3; times += 1) {
      receipts.record([
        { noteId: note.id, channel: "websocket", kind: "delivered" },
        { noteId: note.id, channel: "websocket", kind: "confirmed" },
      ]);
      await receipts.flush();
    }
    const after = await counters(note);
    for (const field of ["websocket.delivered", "websocket.confirmed"]) {
      expect(Number(after[field]) - Number(before[field] ?? 0)).toBe(1);
    }
    const lines = (await read(note.id)).timeline.match(/delivered confirmed/g);
    expect(lines).toHaveLength(1);
  });

  it("turns what had failed into delivered, and moves its counters", async () => {
    const note = await create({
      userId: "after-the-end",
      channels: {
        websocket: open(),
        push: { ...open(), state: "skipped" },
        sms: { ...open(), state: "skipped" },
      },
    });
    const failed = await apply(close(note, "websocket", "failed"));
    expect(failed.status).toBe("failed");
    const before = await counters(failed);
    receipts.record([{ noteId: note.id, channel: "websocket", kind: "delivered" }]);
    await receipts.flush();
    expect(await read(note.id)).toMatchObject({ status: "delivered", request: null });
    const after = await counters(failed);
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
      draft({ userId: "inventor", notificationType: `type_${index}` }),
    );
    await ledger.accept(notes);
    const fields = await counters(await read(notes[0]?.id ?? ""));
    const types = Object.keys(fields).filter((field) => field.startsWith("type:"));
    expect(types.length).toBeLessThanOrEqual(201);
    const sum = types.reduce((total, field) => total + Number(fields[field]), 0);
    expect(sum).toBe(Number(fields["total"]));
  });
});
