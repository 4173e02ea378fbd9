/** What the ledger leaves in the audit trail: all that it did, in order, and for long enough. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readStreamEntry } from "../../src/tracking/audit.ts";
import { createAuditReader, type AuditQuery } from "../../src/tracking/audit-reader.ts";
import { recordOf } from "../../src/tracking/stream-fields.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

/** What docs/OPERATIONS.md promises of a shard, and how much more there may be. */
const KEPT_LINES = 100_000;
const SPARE_LINES = 3_000;
const WRITTEN_LINES = 250_000;
/** So that no single command takes long. */
const CALLS_AT_ONCE = 200;
const ENTRIES_AT_ONCE = 1_000;

let book: TestLedger;
beforeAll(async () => {
  book = await openTestLedger();
});
afterAll(() => book.store.close());

async function trail(query: Omit<AuditQuery, "limit">) {
  const { entries } = await createAuditReader(book.store).read({ ...query, limit: 1_000 });
  return entries.map(({ action, notification_id: id }) => ({ action, id }));
}

describe("what is done together", () => {
  it("is in the trail once for each notification, the latest first", async () => {
    const userId = "together";
    const drafts = Array.from({ length: 40 }, () => book.draft({ userId }));
    await book.ledger.accept(drafts);
    const notes = await Promise.all(drafts.map(({ id }) => book.read(id)));
    const changes = notes.map((note) => book.close(note, "websocket", "delivered"));
    expect(await book.ledger.advance(changes)).not.toContain(false);
    const ids = drafts.map(({ id }) => id).toReversed();
    const one = ids[20] ?? "";
    expect(await trail({ userId })).toEqual([
      ...ids.map((id) => ({ action: "settled", id })),
      ...ids.map((id) => ({ action: "accepted", id })),
    ]);
    expect(await trail({ notificationId: one })).toEqual([
      { action: "settled", id: one },
      { action: "accepted", id: one },
    ]);
  });

  it("is there, counted and due as far as it was done, if an error ends it half-way", async () => {
    const userId = "half-way";
    const [done, broken] = [book.draft({ userId }), book.draft({ userId })];
    const { redis } = book.store;
    await redis.hset(book.key(userId, `rec:${broken.id}`), { is: "no note" });
    const before = Number((await book.counters(await book.create({ userId })))["total"]);
    await expect(book.ledger.accept([done, broken])).rejects.toThrow("WRONGTYPE");
    const note = await book.read(done.id);
    expect(await trail({ notificationId: done.id })).toEqual([{ action: "accepted", id: done.id }]);
    expect(Number((await book.counters(note))["total"])).toBe(before + 1);
    expect(await redis.zscore(book.key(userId, "due"), done.id)).not.toBeNull();
  });
});

describe("the trail of a shard", () => {
  const script = readFileSync(new URL("../../src/tracking/lua/audit.lua", import.meta.url), "utf8");
  const keyOf = (name: string) => book.store.keyspace.sharded(0, name);
  /** A call with so many lines, numbered from the first. */
  const WRITE = `${script}
    for line = ARGV[1], ARGV[1] + ARGV[2] - 1 do
      audit(KEYS[1], '1790000000000 accepted - note-' .. line .. ' service user template -')
    end
    write_audit()`;

  beforeEach(async () => {
    await book.store.redis.del(...["audit", "audit-lines", "audit-marks"].map(keyOf));
  });

  async function writeCalls(until: number, sizeOf: (call: number) => number) {
    for (let call = 0, line = 0; line < until;) {
      const pipeline = book.store.redis.pipeline();
      for (const end = call + CALLS_AT_ONCE; call < end && line < until; call += 1) {
        pipeline.eval(WRITE, 1, keyOf(""), line, sizeOf(call));
        line += sizeOf(call);
      }
      const failed = (await pipeline.exec())?.find(([error]) => error !== null);
      expect(failed).toBeUndefined();
    }
  }

  /** What is there, oldest first. */
  async function readNumbers(): Promise<number[]> {
    const numbers: number[] = [];
    for (let from = "-"; ;) {
      const page = await book.store.redis.xrange(
        keyOf("audit"),
        from,
        "+",
        "COUNT",
        ENTRIES_AT_ONCE,
      );
      for (const [id, fields] of page) {
        for (const { notification_id: note = "" } of readStreamEntry(recordOf(fields))) {
          numbers.push(Number(note.replace("note-", "")));
        }
        from = `(${id}`;
      }
      if (page.length < ENTRIES_AT_ONCE) return numbers;
    }
  }

  /** As it was written before lines were joined, numbered from the first. */
  async function writeSingles(first: number, count: number) {
    const single = `
      for line = ARGV[1], ARGV[1] + ARGV[2] - 1 do
        local text = '1790000000000 accepted - note-' .. line .. ' service user template -'
        redis.call('XADD', KEYS[1], '*', 'note', text)
      end`;
    for (let done = 0; done < count; done += ENTRIES_AT_ONCE) {
      await book.store.redis.eval(single, 1, keyOf("audit"), first + done, ENTRIES_AT_ONCE);
    }
  }

  it.each([
    { what: "many at a time", most: 1, sizeOf: (call: number) => 2 + ((call * 37) % 250) },
    { what: "few, and many at times", most: 1, sizeOf: (call: number) => (call % 99 ? 7 : 250) },
    { what: "one and ten by turns", most: 1.1, sizeOf: (call: number) => (call % 2 ? 1 : 10) },
  ])("keeps the newest as long as is promised, in order: $what", async ({ most, sizeOf }) => {
    await writeCalls(WRITTEN_LINES, sizeOf);
    const numbers = await readNumbers();
    expect(numbers.length).toBeGreaterThanOrEqual(KEPT_LINES);
    expect(numbers.length).toBeLessThan(most * KEPT_LINES + SPARE_LINES);
    const [oldest = 0] = numbers;
    expect(numbers).toEqual(numbers.map((_, index) => oldest + index));
    expect(numbers.at(-1)).toBeGreaterThanOrEqual(WRITTEN_LINES - 1);
  });

  it("keeps what was written one line to an entry as long", async () => {
    await writeSingles(-1_000, 1_000);
    await writeCalls(KEPT_LINES, () => 100);
    expect((await readNumbers())[0]).toBe(-1_000);
    await writeCalls(10_000, () => 100);
    expect((await readNumbers())[0]).toBeGreaterThanOrEqual(0);
  });

  it("is no longer than that where nothing is written together", async () => {
    await writeSingles(0, KEPT_LINES + SPARE_LINES);
    await writeCalls(1, () => 1);
    const { length } = await readNumbers();
    expect(length).toBeGreaterThanOrEqual(KEPT_LINES);
    expect(length).toBeLessThan(KEPT_LINES + SPARE_LINES);
  });
});
