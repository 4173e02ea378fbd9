/** What administrators find in the audit trail, however much was written before and after. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { auditKey } from "../../src/tracking/audit.ts";
import {
  createAuditReader,
  type AuditQuery,
  type AuditReader,
} from "../../src/tracking/audit-reader.ts";
import { refusalsKey } from "../../src/tracking/refusals.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const START_MS = Date.UTC(2026, 8, 1, 8);
const SHARDS = [0, 1, 2, 3];

let store: TestRedis;
let reader: AuditReader;
beforeAll(async () => {
  store = await openTestRedis();
  reader = createAuditReader(store);
});
afterAll(() => store.close());
afterEach(async () => {
  const keys = SHARDS.flatMap((shard) => [keyOf({ shard }), keyOf({ shard, refusals: true })]);
  await store.redis.del(...keys);
});

interface Written {
  readonly shard: number;
  readonly refusals?: boolean;
  /** Redis' time at the writing. */
  readonly ms: number;
  /** The writer's time, when it differs. */
  readonly at?: number;
  readonly fields?: Readonly<Record<string, string>>;
}

function keyOf({ shard, refusals }: Pick<Written, "shard" | "refusals">): string {
  return refusals === true ? refusalsKey(store.keyspace, shard) : auditKey(store.keyspace, shard);
}

/** A few at a time: a command has a second, and the machine may be busy. */
const WRITTEN_AT_ONCE = 500;

async function write(entries: readonly Written[]): Promise<void> {
  for (let from = 0; from < entries.length; from += WRITTEN_AT_ONCE) {
    const pipeline = store.redis.pipeline();
    for (const one of entries.slice(from, from + WRITTEN_AT_ONCE)) {
      const { ms, at = ms, fields = {}, ...place } = one;
      const known = Object.entries({ action: "accepted", ...fields }).flat();
      pipeline.xadd(keyOf(place), `${ms}-*`, "at", at, ...known);
    }
    const replies = (await pipeline.exec()) ?? [];
    expect(replies.filter(([error]) => error !== null)).toEqual([]);
  }
}

function many(count: number, make: (index: number) => Written): Written[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Follows `next` to the end. */
async function readAll(query: AuditQuery) {
  const pages = [await reader.read(query)];
  for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) {
    pages.push(await reader.read({ ...query, after: next }));
  }
  return { pages, entries: pages.flatMap((page) => page.entries) };
}

describe("a window of time", () => {
  it("shows its entries, whatever was written since", async () => {
    const wanted = [START_MS, START_MS + 1_000];
    await write(wanted.map((ms) => ({ shard: 1, ms, fields: { caller: "wanted" } })));
    const since = START_MS + 3_600_000;
    await write(many(3_000, (index) => ({ shard: index % 4, ms: since + index })));
    const page = await reader.read({ from: START_MS, to: START_MS + 1_000, limit: 100 });
    expect(page.entries.map(({ caller }) => caller)).toEqual(["wanted", "wanted"]);
    expect(page.next).toBeUndefined();
  });

  it("goes by when things happened, not by when they were written down", async () => {
    const at = START_MS;
    await write([
      { shard: 0, ms: at - 2, at: at - 1, fields: { caller: "just before" } },
      { shard: 0, ms: at - 1, at, fields: { caller: "first" } },
      { shard: 1, ms: at + 30_000, at: at + 999, fields: { caller: "written late" } },
      { shard: 2, refusals: true, ms: at + 61_000, at: at + 500, fields: { caller: "counted" } },
      { shard: 3, ms: at + 1_000, at: at + 1_000, fields: { caller: "just after" } },
    ]);
    const { entries } = await reader.read({ from: at, to: at + 999, limit: 100 });
    expect(entries.map(({ caller }) => caller)).toEqual(["written late", "counted", "first"]);
  });
});

describe("pages", () => {
  it("of any size hold every entry of all streams once, newest first", async () => {
    // Three to a millisecond, so that pages end between entries of the same time.
    const written = many(600, (index) => ({
      shard: (index * 7) % 4,
      refusals: index % 5 === 0,
      ms: START_MS + Math.floor(index / 3),
      fields: { path: String(index) },
    }));
    await write(written);
    for (const limit of [1, 7, 100, 1_000]) {
      const { entries, pages } = await readAll({ limit });
      expect(pages.every((page) => page.entries.length <= limit)).toBe(true);
      const times = entries.map(({ at }) => Date.parse(at));
      expect(times).toEqual(times.toSorted((a, b) => b - a));
      expect(new Set(entries.map(({ path }) => path)).size).toBe(600);
      expect(entries).toHaveLength(600);
    }
  });

  it("do not move when more is written in between", async () => {
    await write(many(10, (index) => ({ shard: 0, ms: START_MS + index })));
    const first = await reader.read({ limit: 4 });
    await write(many(10, (index) => ({ shard: 0, ms: START_MS + 100 + index })));
    const rest = await readAll({ limit: 4, after: first.next });
    expect(rest.entries.map(({ at }) => Date.parse(at) - START_MS)).toEqual([5, 4, 3, 2, 1, 0]);
  });
});

describe("a search for what is rare", () => {
  it("gives up after a bounded part of the trail and says where to go on", async () => {
    const userId = "rare";
    const shard = store.keyspace.shardOfUser(userId);
    await write([{ shard, ms: START_MS, fields: { user_id: userId } }]);
    await write(many(12_000, (index) => ({ shard, ms: START_MS + 1 + index })));
    const first = await reader.read({ userId, limit: 1 });
    expect(first.entries).toEqual([]);
    expect(first.next).toBeDefined();
    const second = await reader.read({ userId, limit: 1, after: first.next });
    expect(second.entries).toMatchObject([{ user_id: userId }]);
  });

  it("by notification looks only where that notification is", async () => {
    const id = store.keyspace.newNoteId("someone");
    const shard = store.keyspace.shardOfUser("someone");
    await write([{ shard, ms: START_MS, fields: { notification_id: id } }]);
    const elsewhere = (shard + 1) % SHARDS.length;
    await write(many(12_000, (index) => ({ shard: elsewhere, ms: START_MS + 1 + index })));
    const page = await reader.read({ notificationId: id, limit: 100 });
    expect(page.entries).toMatchObject([{ notification_id: id }]);
    expect(page.next).toBeUndefined();
    expect(await reader.read({ notificationId: "none of ours", limit: 100 })).toEqual({
      entries: [],
      next: undefined,
    });
  });

  it("by action finds events and refusals", async () => {
    await write([
      { shard: 0, ms: START_MS, fields: { action: "accepted" } },
      { shard: 0, ms: START_MS + 1, fields: { action: "settled" } },
      {
        shard: 0,
        refusals: true,
        ms: START_MS + 2,
        fields: { action: "rejected", code: "forbidden", count: "12" },
      },
    ]);
    const actions = async (action: string) => (await readAll({ action, limit: 10 })).entries;
    expect(await actions("settled")).toMatchObject([{ action: "settled" }]);
    expect(await actions("rejected")).toMatchObject([{ action: "rejected", count: 12 }]);
    expect(await actions("unheard-of")).toEqual([]);
  });
});
