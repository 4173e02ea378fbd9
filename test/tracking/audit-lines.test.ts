/** What happened in one step is written together; in the trail each line of it is an entry. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditKey, formatAuditLine } from "../../src/tracking/audit.ts";
import { decodeCursor, encodeCursor } from "../../src/tracking/audit-position.ts";
import {
  createAuditReader,
  type AuditPage,
  type AuditQuery,
  type AuditReader,
} from "../../src/tracking/audit-reader.ts";
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
beforeEach(async () => {
  await store.redis.del(...SHARDS.map((shard) => auditKey(store.keyspace, shard)));
});

interface Line {
  readonly at: number;
  readonly id: string;
  readonly user?: string;
  readonly action?: string;
}

function lineOf({ at, id, user = "teacher-1", action = "accepted" }: Line): string {
  const note = { id, callerId: "service", userId: user, templateId: "announcement" };
  return formatAuditLine(at, action, null, note, "websocket push");
}

/** One entry of a stream, its lines oldest first. */
async function write(shard: number, ms: number, lines: readonly Line[]): Promise<void> {
  const text = lines.map(lineOf).join("\n");
  await store.redis.xadd(auditKey(store.keyspace, shard), `${ms}-*`, "note", text);
}

/** As entries were written before they held several lines, and still are where they are about no note. */
async function writeFields(shard: number, at: number, id: string): Promise<void> {
  const fields = ["at", at, "action", "skipped", "notification_id", id];
  await store.redis.xadd(auditKey(store.keyspace, shard), `${at}-*`, ...fields);
}

function linesOf(count: number, at: number, name: string): Line[] {
  return Array.from({ length: count }, (_, index) => ({ at, id: `${name}.${index}` }));
}

/** Follows `next` to the end as a client does: as text. */
async function readAll(query: AuditQuery): Promise<AuditPage[]> {
  const pages = [await reader.read(query)];
  for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) {
    pages.push(await reader.read({ ...query, after: decodeCursor(encodeCursor(next)) }));
  }
  return pages;
}

const idsOf = (pages: readonly AuditPage[]) =>
  pages.flatMap(({ entries }) => entries.map(({ notification_id: id }) => id));

describe("lines that were written together", () => {
  it("come newest first, each once, wherever a page ends", async () => {
    await write(0, START_MS, linesOf(5, START_MS, "a"));
    await writeFields(0, START_MS + 1, "b");
    await write(0, START_MS + 2, linesOf(1, START_MS + 2, "c"));
    await write(0, START_MS + 3, linesOf(3, START_MS + 3, "d"));
    const newestFirst = ["d.2", "d.1", "d.0", "c.0", "b", "a.4", "a.3", "a.2", "a.1", "a.0"];
    for (const limit of [1, 2, 3, 4, 7, 100]) {
      const pages = await readAll({ limit });
      expect(pages.every(({ entries }) => entries.length <= limit)).toBe(true);
      expect(idsOf(pages)).toEqual(newestFirst);
    }
  });

  it("are not torn apart by entries of other streams from the same millisecond", async () => {
    const ids: string[] = [];
    for (let ms = START_MS; ms < START_MS + 60; ms += 1) {
      for (const shard of SHARDS) {
        const lines = linesOf(1 + ((ms + shard) % 16), ms, `${ms}/${shard}`);
        await write(shard, ms, lines);
        ids.push(...lines.map(({ id }) => id));
      }
    }
    for (const limit of [11, 1_000]) {
      const found = idsOf(await readAll({ limit }));
      expect(new Set(found)).toEqual(new Set(ids));
      expect(found).toHaveLength(ids.length);
      const entryOf = (id = "") => id.slice(0, id.indexOf("."));
      const changes = found.filter((id, index) => entryOf(id) !== entryOf(found[index - 1]));
      expect(changes).toHaveLength(new Set(ids.map(entryOf)).size);
    }
  });

  it("are each found by what they are about", async () => {
    const id = store.keyspace.newNoteId("anna");
    const shard = store.keyspace.shardOfUser("anna");
    await write(shard, START_MS, [
      { at: START_MS, id, user: "anna" },
      { at: START_MS + 1, id: "other", user: "berta" },
      { at: START_MS + 2, id, user: "anna", action: "settled" },
    ]);
    const actions = async (query: Omit<AuditQuery, "limit">) =>
      (await reader.read({ ...query, limit: 10 })).entries.map(({ action }) => action);
    expect(await actions({ userId: "anna" })).toEqual(["settled", "accepted"]);
    expect(await actions({ notificationId: id, action: "settled" })).toEqual(["settled"]);
    expect(await actions({ from: START_MS + 1, to: START_MS + 1 })).toEqual(["accepted"]);
  });

  it("are counted one by one where an answer looks at a bounded part of the trail", async () => {
    const shard = store.keyspace.shardOfUser("rare");
    await write(shard, START_MS, [{ at: START_MS, id: "wanted", user: "rare" }]);
    for (let index = 1; index <= 750; index += 1) {
      await write(shard, START_MS + index, linesOf(16, START_MS + index, String(index)));
    }
    const pages = await readAll({ userId: "rare", limit: 1 });
    expect(pages.map(({ entries }) => entries.length)).toEqual([0, 1]);
  });
});

describe("a page that ends between them", () => {
  it("goes on there, whatever is written in between", async () => {
    await write(0, START_MS, linesOf(4, START_MS, "a"));
    const first = await reader.read({ limit: 2 });
    await write(0, START_MS + 1, linesOf(4, START_MS + 1, "b"));
    await write(1, START_MS, linesOf(2, START_MS, "c"));
    const rest = await reader.read({ limit: 10, after: first.next });
    expect(idsOf([first, rest])).toEqual(["a.3", "a.2", "a.1", "a.0", "c.1", "c.0"]);
  });

  it("goes on behind them if they have run out meanwhile", async () => {
    await write(0, START_MS, linesOf(2, START_MS, "a"));
    await write(0, START_MS + 1, linesOf(4, START_MS + 1, "b"));
    const { next } = await reader.read({ limit: 2 });
    const [gone] = await store.redis.xrevrange(auditKey(store.keyspace, 0), "+", "-", "COUNT", 1);
    await store.redis.xdel(auditKey(store.keyspace, 0), gone?.[0] ?? "");
    expect(idsOf([await reader.read({ limit: 10, after: next })])).toEqual(["a.1", "a.0"]);
  });

  it("was never where a cursor of the older form stands: it goes on with the next entry", async () => {
    await writeFields(0, START_MS, "a");
    await writeFields(0, START_MS + 1, "b");
    const cursor = Buffer.from(`${START_MS + 1}-0-0`).toString("base64url");
    const page = await reader.read({ limit: 10, after: decodeCursor(cursor) });
    expect(idsOf([page])).toEqual(["a"]);
  });
});
