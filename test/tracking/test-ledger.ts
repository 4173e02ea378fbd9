/** A ledger on the run's Redis with a clock of the test's own, and short ways to move notes. */
import { expect } from "vitest";
import type { Channel, Reason } from "../../src/contract/vocabulary.ts";
import { outcomeEventSchema, type OutcomeEvent } from "../../src/contract/outcome-event.ts";
import { closeChannel } from "../../src/delivery/note-steps.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createDeadNotes, type DeadNotes } from "../../src/tracking/dead-notes.ts";
import { createLedger, type Ledger } from "../../src/tracking/ledger.ts";
import type { NewNote, NoteChange } from "../../src/tracking/ledger-changes.ts";
import type { ChannelRecord, Note } from "../../src/tracking/note.ts";
import { outcomeRecordsOf, outcomesKey } from "../../src/tracking/outcome-entries.ts";
import { createReceipts, type Receipt, type Receipts } from "../../src/tracking/receipts.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

export const LEASE_MS = 30_000;

const REASON_OF: Partial<Record<ChannelRecord["state"], Reason>> = {
  failed: "rejected",
  skipped: "offline",
  unknown: "unknown",
};

export interface TestLedger {
  readonly store: TestRedis;
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  readonly receipts: Receipts;
  readonly deadNotes: DeadNotes;
  /** A channel that nothing has been tried on. */
  open(): ChannelRecord;
  /** A channel that is not for this note. */
  shut(): ChannelRecord;
  draft(changes?: Partial<NewNote>): NewNote;
  create(changes?: Partial<NewNote>): Promise<Note>;
  read(id: string): Promise<Note>;
  /** The change that ends a channel; nothing is written yet. */
  close(
    note: Note,
    channel: Channel,
    to: "delivered" | "failed" | "skipped" | "unknown",
  ): NoteChange;
  /** Applies a change and returns the note as the ledger then has it. */
  apply(change: NoteChange): Promise<Note>;
  /** Records what the recipient's side says, and has it written. */
  receive(...received: readonly Receipt[]): Promise<void>;
  counters(note: Pick<Note, "userId" | "day">): Promise<Record<string, string>>;
  /** The events of a user's shard that wait to be sent, oldest first. */
  outcomes(userId: string): Promise<OutcomeEvent[]>;
  key(userId: string, name: string): string;
}

export async function openTestLedger(
  options: {
    outcomes?: boolean;
    recipientLimitPerMinute?: number;
    apart?: boolean;
    noteSeconds?: number;
    /** Of a Redis other than the run's. */
    url?: string | undefined;
  } = {},
): Promise<TestLedger> {
  const store = await openTestRedis(options.url);
  const { redis, keyspace } = store;
  const clock = createManualClock();
  const sealing = createSealing(undefined);
  const shared = {
    redis,
    keyspace,
    clock,
    sealing,
    outcomes: options.outcomes ?? false,
    apart: options.apart,
    noteSeconds: options.noteSeconds,
  };
  const ledger = createLedger({
    ...shared,
    recipientLimitPerMinute: options.recipientLimitPerMinute ?? 0,
    historySize: 100,
    historySeconds: 3_600,
    pendingSeconds: 300,
  });
  const receipts = createReceipts({ ...shared, logger: createSilentLogger() });
  const key = (userId: string, name: string): string =>
    keyspace.sharded(keyspace.shardOfUser(userId), name);

  const record = (state: ChannelRecord["state"], reason: Reason | null): ChannelRecord => ({
    state,
    reason,
    at: clock.now(),
    confirmedAt: null,
  });
  const open = (): ChannelRecord => record("pending", null);

  function draft(changes: Partial<NewNote> = {}): NewNote {
    const userId = changes.userId ?? "teacher-1";
    return {
      id: keyspace.newNoteId(userId),
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

  return {
    store,
    clock,
    ledger,
    receipts,
    deadNotes: createDeadNotes(shared),
    open,
    shut: () => record("skipped", "not_requested"),
    draft,
    read,
    key,
    async create(changes = {}) {
      const note = draft(changes);
      expect(await ledger.accept([note])).toEqual(["created"]);
      return await read(note.id);
    },
    close: (note, channel, to) =>
      closeChannel(note, {
        channel,
        to,
        reason: REASON_OF[to] ?? null,
        now: clock.now(),
        handOverAt: clock.now() + LEASE_MS,
      }),
    async apply(change) {
      expect(await ledger.advance([change])).toEqual([true]);
      return await read(change.note.id);
    },
    async receive(...received) {
      receipts.record(received);
      await receipts.flush();
    },
    counters: (note) => redis.hgetall(key(note.userId, `stat:${note.day}`)),
    async outcomes(userId) {
      const shard = keyspace.shardOfUser(userId);
      const entries = await redis.xrange(outcomesKey(keyspace, shard), "-", "+");
      const records = entries.flatMap(([id, fields]) => outcomeRecordsOf(shard, id, fields) ?? []);
      return records.map(({ value }) => outcomeEventSchema.parse(JSON.parse(String(value))));
    },
  };
}
