/** Failed notifications as an operator meets them: found, understood, and sent again only as wanted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuditReader } from "../../src/tracking/audit-reader.ts";
import type { Channel, Reason } from "../../src/contract/vocabulary.ts";
import { claim } from "../../src/delivery/provider-steps.ts";
import type { DeadPosition } from "../../src/tracking/dead-position.ts";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import type { Note } from "../../src/tracking/note.ts";
import { formatRecord, formatState } from "../../src/tracking/note-record.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "./test-ledger.ts";

const KEPT_MS = 30 * 86_400_000;
let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger();
});

afterAll(async () => {
  await book.store.close();
});

/** One that failed on its only channels, in the order given. */
async function fail(
  changes: Partial<NewNote>,
  ends: Partial<Record<Channel, "failed" | "skipped" | "unknown">> = { push: "failed" },
): Promise<Note> {
  const has = (name: Channel) => (ends[name] === undefined ? book.shut() : book.open());
  let note = await book.create({
    stage: ends.websocket === undefined ? (ends.push === undefined ? "sms" : "push") : "websocket",
    channels: { websocket: has("websocket"), push: has("push"), sms: has("sms") },
    ...changes,
  });
  for (const name of ["websocket", "push", "sms"] as const) {
    const end = ends[name];
    if (end === undefined) continue;
    if (name !== "websocket")
      note = await book.apply(claim(note, name, book.clock.now(), LEASE_MS));
    note = await book.apply(book.close(note, name, end));
  }
  return note;
}

async function listAll(limit: number, reason?: Reason, templateId?: string): Promise<string[]> {
  const ids: string[] = [];
  let after: DeadPosition | undefined;
  do {
    const page = await book.deadNotes.list({ limit, after, reason, templateId });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    ids.push(...page.entries.map((entry) => entry.notification_id));
    after = page.next;
  } while (after !== undefined);
  return ids;
}

describe("the list of failed notifications", () => {
  it("shows all of all shards once, newest first, whatever the size of its pages", async () => {
    const failed: Note[] = [];
    for (let index = 0; index < 140; index += 1) {
      // Many in one millisecond, as after an outage.
      if (index % 45 === 0) book.clock.advance(1);
      const templateId = index % 3 === 0 ? "class_created" : "announcement";
      failed.push(await fail({ userId: `list-${index}`, templateId }));
    }
    const at = new Map(failed.map((note) => [note.id, note.channels.push.at]));
    for (const limit of [1, 7, 60, 500]) {
      const ids = await listAll(limit);
      expect(ids.toSorted()).toEqual(failed.map(({ id }) => id).toSorted());
      const times = ids.map((id) => at.get(id) ?? 0);
      expect(times).toEqual(times.toSorted((a, b) => b - a));
    }
    const some = failed.filter(({ templateId }) => templateId === "class_created");
    expect((await listAll(10, "rejected", "class_created")).toSorted()).toEqual(
      some.map(({ id }) => id).toSorted(),
    );
    expect(await listAll(10, "gone")).toEqual([]);
  });

  it("tells why, and never what the message says", async () => {
    book.clock.advance(1);
    const note = await fail(
      { userId: "why", eventId: "event-9" },
      { push: "failed", sms: "unknown" },
    );
    const { entries } = await book.deadNotes.list({ limit: 1 });
    expect(entries).toEqual([
      {
        notification_id: note.id,
        user_id: "why",
        template_id: "iep_meeting_reminder",
        notification_type: "iep_reminder",
        caller: "service",
        accepted_at: expect.any(String),
        failed_at: new Date(book.clock.now()).toISOString(),
        channels: { websocket: "skipped", push: "failed", sms: "failed" },
        channel_details: {
          websocket: { reason: "not_requested", at: expect.any(String) },
          push: { reason: "rejected", at: expect.any(String) },
          sms: { reason: "unknown", at: expect.any(String) },
        },
      },
    ]);
    const detail = await book.deadNotes.show(note.id);
    expect(detail).toMatchObject({
      event_id: "event-9",
      attempts: { websocket: 0, push: 1, sms: 1 },
      redrivable: ["push"],
    });
    expect(JSON.stringify([entries, detail])).not.toContain("Sarah");
  });

  it("looks at a bounded number for one answer, and says where to go on", async () => {
    const own = await openTestLedger();
    const key = own.key("gone", "dead");
    // Notes that are there no longer, which can be as many as failed in a month.
    for (let index = 0; index < 2_100; index += 100) {
      const some = Array.from({ length: 100 }, () => own.store.keyspace.newNoteId("gone"));
      await own.store.redis.zadd(key, ...some.flatMap((id) => [own.clock.now() + index, id]));
    }
    const first = await own.deadNotes.list({ limit: 10 });
    expect(first.entries).toEqual([]);
    expect(first.next).toBeDefined();
    expect(await own.deadNotes.list({ limit: 10, after: first.next })).toEqual({
      entries: [],
      next: undefined,
    });
    await own.store.close();
  });

  it("forgets those that are reached late, and those that are too old to be there", async () => {
    const late = await fail({ userId: "late" });
    const old = await fail({ userId: "old" });
    await book.receive({ noteId: late.id, channel: "push", kind: "confirmed" });
    expect(await listAll(500)).not.toContain(late.id);
    expect(await book.deadNotes.show(late.id)).toBeUndefined();
    expect(await listAll(500)).toContain(old.id);
    book.clock.advance(KEPT_MS + 1);
    await fail({ userId: "old" });
    const key = book.key("old", "dead");
    expect(await book.store.redis.zscore(key, old.id)).toBeNull();
  });
});

describe("a failed notification that is sent again", () => {
  it("begins afresh with the channels that failed, is due now, and is kept until it settles", async () => {
    const note = await fail(
      { userId: "again" },
      { websocket: "skipped", push: "failed", sms: "failed" },
    );
    book.clock.advance(1_000);
    const result = await book.deadNotes.redrive(note.id, { by: "the boss" });
    expect(result).toMatchObject({ kind: "redriven", channels: ["push", "sms"] });
    const now = book.clock.now();
    const queued = await book.read(note.id);
    expect(queued).toMatchObject({
      status: "queued",
      stage: "push",
      attempt: 0,
      stageStartedAt: now,
      leasedUntil: 0,
      fence: now,
      channels: {
        websocket: { state: "skipped", reason: "offline" },
        push: { state: "pending", reason: null, at: now },
        sms: { state: "pending" },
      },
    });
    expect(queued.timeline).toContain(`${now} - failed queued redriven:the_boss\n`);
    expect(queued.timeline).toContain(`${now} push failed pending redriven\n`);
    const { redis } = book.store;
    expect(await redis.zscore(book.key("again", "due"), note.id)).toBe(String(now));
    expect(await redis.pttl(book.key("again", `rec:${note.id}`))).toBe(-1);
    expect(await book.deadNotes.show(note.id)).toBeUndefined();
  });

  it("asks every browser anew, also those that refused before", async () => {
    const note = await fail({ userId: "browsers" });
    const key = book.key("browsers", `rec:${note.id}`);
    const state = formatState({ ...note, pushOutcomes: { one: "rejected" } });
    await book.store.redis.setrange(key, note.stateAt, state);
    expect((await book.read(note.id)).pushOutcomes).toEqual({ one: "rejected" });
    await book.deadNotes.redrive(note.id, { by: "boss" });
    expect((await book.read(note.id)).pushOutcomes).toEqual({});
  });

  it("is in the audit trail with who wanted it", async () => {
    const note = await fail({ userId: "audited" });
    await book.deadNotes.redrive(note.id, { by: "boss" });
    const trail = await createAuditReader(book.store).read({ notificationId: note.id, limit: 1 });
    expect(trail.entries).toMatchObject([
      {
        action: "redriven",
        result: "queued",
        notification_id: note.id,
        caller: "boss",
        user_id: "audited",
        template_id: "iep_meeting_reminder",
        channels: "push",
      },
    ]);
  });

  it("is not sent again by an SMS that may have gone out, unless that is said", async () => {
    const both = await fail({ userId: "sms" }, { push: "failed", sms: "unknown" });
    await book.deadNotes.redrive(both.id, { by: "boss" });
    expect((await book.read(both.id)).channels).toMatchObject({
      push: { state: "pending" },
      sms: { state: "unknown" },
    });
    const only = await fail({ userId: "sms" }, { sms: "unknown" });
    expect(await book.deadNotes.redrive(only.id, { by: "boss" })).toEqual({
      kind: "refused",
      detail: "It may have been sent by sms: name the channel to send it once more.",
    });
    const asked = await book.deadNotes.redrive(only.id, { by: "boss", channels: ["sms"] });
    expect(asked.kind).toBe("redriven");
    expect(await book.read(only.id)).toMatchObject({
      stage: "sms",
      channels: { sms: { state: "pending" } },
    });
  });

  it("counts as tried once on each channel, however often it is tried", async () => {
    let note = await fail({ userId: "counted" });
    await book.deadNotes.redrive(note.id, { by: "boss" });
    note = await book.apply(claim(await book.read(note.id), "push", book.clock.now(), LEASE_MS));
    const before = await book.counters(note);
    await book.apply(book.close(note, "push", "delivered"));
    const after = await book.counters(note);
    const moved = (field: string): number => Number(after[field] ?? 0) - Number(before[field] ?? 0);
    expect(moved("push.delivered")).toBe(1);
    expect(moved("push.failed")).toBe(0);
  });
});

describe("what cannot be sent again", () => {
  it.each([
    ["settled otherwise", { push: "skipped" } as const, "It is stored, not failed."],
    [
      "nothing asked for failed",
      { push: "failed" } as const,
      "sms did not fail: skipped (not_requested).",
    ],
  ])("is refused with the reason: %s", async (_what, ends, detail) => {
    const note = await fail({ userId: "refused" }, ends);
    const order = { by: "boss", ...(ends.push === "failed" ? { channels: ["sms"] as const } : {}) };
    expect(await book.deadNotes.redrive(note.id, order)).toEqual({ kind: "refused", detail });
  });

  it("is refused with the reason: it has expired", async () => {
    const note = await fail({ userId: "refused", expiresAt: book.clock.now() + 10 });
    expect(await book.deadNotes.show(note.id)).toMatchObject({ redrivable: ["push"] });
    const expiresAt = new Date(book.clock.now() + 10).toISOString();
    book.clock.advance(10);
    const detail = `It expired at ${expiresAt}.`;
    expect(await book.deadNotes.redrive(note.id, { by: "boss" })).toEqual({
      kind: "refused",
      detail,
    });
    expect(await book.deadNotes.show(note.id)).toMatchObject({ redrivable: [], refusal: detail });
  });

  it("is refused with the reason: what it said is gone", async () => {
    const note = await fail({ userId: "refused" });
    const forgotten = formatRecord(note.facts, "", formatState(note));
    await book.store.redis.set(book.key("refused", `rec:${note.id}`), forgotten);
    const result = await book.deadNotes.redrive(note.id, { by: "boss" });
    expect(result).toMatchObject({
      kind: "refused",
      detail: expect.stringMatching(/no longer kept/),
    });
    expect((await book.read(note.id)).status).toBe("failed");
  });

  it("is what does not exist", async () => {
    const unknown = book.store.keyspace.newNoteId("nobody");
    for (const id of [unknown, "nonsense"]) {
      expect(await book.deadNotes.redrive(id, { by: "boss" })).toEqual({ kind: "absent" });
      expect(await book.deadNotes.show(id)).toBeUndefined();
    }
  });
});
