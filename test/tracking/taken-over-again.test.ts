/** A Redis that gave way to its replica and takes over from it again, without ever having been restarted. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Redis } from "ioredis";
import { markSent } from "../../src/delivery/note-steps.ts";
import { afterChange } from "../../src/tracking/ledger-changes.ts";
import { createHistory, type Position } from "../../src/tracking/history.ts";
import { startRedisServer, type RedisServer } from "../trace/redis-server.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

const USER = "teacher-1";
const EPOCH_SKIP = 1_000;
const DIRECTIVES = ["--repl-diskless-sync-delay", "0"];

const servers: RedisServer[] = [];
let first: Redis;
let second: Redis;
let book: TestLedger;

beforeAll(async () => {
  const start = (): Promise<RedisServer> => startRedisServer(() => {}, { directives: DIRECTIVES });
  const [one, other] = await Promise.all([start(), start()]);
  servers.push(one, other);
  first = new Redis(one.url);
  second = new Redis(other.url);
  book = await openTestLedger({ url: one.url });
});

afterAll(async () => {
  await book.store.close();
  first.disconnect();
  second.disconnect();
  await Promise.all(servers.map((server) => server.close()));
});

async function publish(): Promise<Position> {
  const now = book.clock.now();
  const sent = markSent(await book.create({ userId: USER }), now, now + 1);
  const frame = { body: "{}", wantsAck: false, sent, after: afterChange(sent) };
  const [published] = await book.ledger.publish([frame], "worker");
  return { epoch: published?.epoch ?? "", id: Number(published?.replayId) };
}

/** Resolves when it has all that the other has, and nothing else. */
async function follow(replica: Redis, master: Redis): Promise<void> {
  await replica.call("REPLICAOF", "127.0.0.1", master.options.port ?? 0);
  await expect
    .poll(() => replica.info("replication"), { timeout: 20_000 })
    .toContain("master_link_status:up");
}

const lead = (redis: Redis): Promise<unknown> => redis.call("REPLICAOF", "NO", "ONE");

it("gives out no replay id of its epoch again that it had given out before and has lost", async () => {
  await follow(second, first);
  const kept = await publish();
  await expect.poll(() => second.dbsize()).toBe(await first.dbsize());
  // Cut off from each other: one goes on, the other takes over.
  await lead(second);
  const lost = await publish();
  expect(lost).toEqual({ epoch: kept.epoch, id: kept.id + 1 });
  await follow(first, second);
  // The failover is undone, as operators do; nobody was sent anything meanwhile.
  await lead(first);
  const next = await publish();
  expect(next.id).toBe(kept.id + EPOCH_SKIP + 1);
  expect(next.epoch).not.toBe(lost.epoch);
  // Whoever was sent what was lost is told, before what is new.
  const history = createHistory({ ...book.store, clock: book.clock, size: 100 });
  const missed = await history.since(USER, lost);
  expect(missed).toMatchObject({ epoch: next.epoch, last: next.id });
  expect(missed.entries).toHaveLength(1);
  expect(await publish()).toEqual({ epoch: next.epoch, id: next.id + 1 });
});

it("begins no new epoch where a version before 1.3 had written the run id alone", async () => {
  const before = await publish();
  await first.del(book.key(USER, "lineage"));
  expect(await publish()).toEqual({ epoch: before.epoch, id: before.id + 1 });
});
