/** What a newer version wrote is left alone, and is found by the first process that can read it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createLedger, type Ledger } from "../../src/tracking/ledger.ts";
import type { LedgerFormats } from "../../src/tracking/ledger-format.ts";
import { createOutcomeRelay } from "../../src/tracking/outcome-relay.ts";
import { createReceipts } from "../../src/tracking/receipts.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "./test-ledger.ts";

const NEXT: LedgerFormats = { newest: 4, mark: () => "4=", onNewer: () => {} };

let book: TestLedger;
/** The ledger as the next version has it: it writes a form that today's does not read. */
let next: Ledger;
let today: Ledger;
const met: string[] = [];

function openLedger(formats: LedgerFormats): Ledger {
  return createLedger({
    ...book.store,
    clock: book.clock,
    sealing: createSealing(undefined),
    outcomes: true,
    recipientLimitPerMinute: 0,
    historySize: 100,
    historySeconds: 3_600,
    pendingSeconds: 300,
    formats,
  });
}

const ofToday: LedgerFormats = { newest: 3, mark: () => "=", onNewer: (what) => met.push(what) };

beforeAll(async () => {
  book = await openTestLedger({ outcomes: true });
  next = openLedger(NEXT);
  today = openLedger(ofToday);
});
afterAll(() => book.store.close());

const recordOf = (userId: string, id: string) =>
  book.store.redis.get(book.key(userId, `rec:${id}`));

const leaseAll = (ledger: Ledger, userId: string) =>
  ledger.leaseDue(book.store.keyspace.shardOfUser(userId), LEASE_MS, 100);

describe("a note of a newer form", () => {
  it("is neither read, leased, changed nor taken off the due index, and is worked on by who can", async () => {
    const userId = "newer";
    const draft = book.draft({ userId });
    expect(await next.accept([draft])).toEqual(["created"]);
    const before = await recordOf(userId, draft.id);
    expect(before).toContain("\n4=0 0 queued");

    met.length = 0;
    expect(await today.fetch([draft.id])).toEqual(new Map());
    book.clock.advance(LEASE_MS + 1);
    expect(await leaseAll(today, userId)).toEqual([]);
    const receipts = createReceipts({
      ...book.store,
      clock: book.clock,
      logger: createSilentLogger(),
      outcomes: true,
      formats: ofToday,
    });
    receipts.record([{ noteId: draft.id, channel: "websocket", kind: "confirmed" }]);
    await receipts.close();
    // Whoever asks again meets the same note, and does not make another of it.
    expect(await today.accept([draft])).toEqual(["existed"]);
    expect(await recordOf(userId, draft.id)).toBe(before);
    expect(met).toEqual(["note", "note"]);

    book.clock.advance(1_001);
    expect(await leaseAll(next, userId)).toMatchObject([{ id: draft.id, stage: "websocket" }]);
    const note = (await next.fetch([draft.id])).get(draft.id);
    if (note === undefined) throw new Error("the next version cannot read what it wrote");
    expect(await next.advance([book.close(note, "websocket", "delivered")])).toEqual([true]);
    expect((await next.fetch([draft.id])).get(draft.id)?.status).toBe("delivered");
    expect(await recordOf(userId, draft.id)).toMatch(/\n4=\d+ \d+ delivered/);
  });

  it("is not changed by who read it before it took that form", async () => {
    const userId = "overtaken";
    const draft = book.draft({ userId });
    await today.accept([draft]);
    const seen = (await today.fetch([draft.id])).get(draft.id);
    const read = (await next.fetch([draft.id])).get(draft.id);
    if (seen === undefined || read === undefined) throw new Error("the note is not there");
    expect(await next.advance([book.close(read, "websocket", "skipped")])).toEqual([true]);
    const before = await recordOf(userId, draft.id);
    expect(before).toMatch(/\n4=\d+ \d+ queued/);
    expect(await today.advance([book.close(seen, "websocket", "delivered")])).toEqual([false]);
    expect(await recordOf(userId, draft.id)).toBe(before);
  });

  it("keeps nobody from what stands behind it in the due index", async () => {
    const userId = "behind";
    await next.accept(Array.from({ length: 5 }, () => book.draft({ userId })));
    book.clock.advance(1);
    const own = book.draft({ userId });
    await today.accept([own]);
    book.clock.advance(LEASE_MS + 1);
    const shard = book.store.keyspace.shardOfUser(userId);
    const found: string[] = [];
    for (let look = 0; look < 3; look += 1) {
      found.push(...(await today.leaseDue(shard, LEASE_MS, 4)).map(({ id }) => id));
    }
    expect(found).toContain(own.id);
  });
});

describe("what other services are to be told by a newer version", () => {
  it("waits for its relay, in order, with what stands behind it", async () => {
    const { redis, keyspace } = book.store;
    const userId = "told";
    const shard = keyspace.shardOfUser(userId);
    await redis.del(keyspace.sharded(shard, "told"));
    const settle = async (ledger: Ledger): Promise<string> => {
      const draft = book.draft({ userId });
      await ledger.accept([draft]);
      const note = (await ledger.fetch([draft.id])).get(draft.id);
      if (note === undefined) throw new Error("the note is not there");
      await ledger.advance([book.close(note, "websocket", "delivered")]);
      return draft.id;
    };
    const ids = [await settle(today), await settle(next), await settle(today)];
    const sent: string[] = [];
    const relayOf = (nodeId: string, formats: LedgerFormats) =>
      createOutcomeRelay({
        redis,
        keyspace,
        clock: book.clock,
        logger: createSilentLogger(),
        nodeId,
        formats,
        onBacklog: () => {},
        async send(records) {
          for (const { value } of records) sent.push(String(value));
        },
      });
    met.length = 0;
    const old = relayOf("today", ofToday);
    await old.poll();
    await old.poll();
    expect(sent).toHaveLength(1);
    expect(met).toEqual(["outcome"]);
    await relayOf("next", NEXT).poll();
    expect(sent).toHaveLength(3);
    sent.forEach((text, at) => expect(text).toContain(ids[at]));
  });
});
