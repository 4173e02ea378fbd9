/** Each thing that befalls the run's Redis, and whether what it says about the damage is right. */
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { createKeyspace } from "../../../../src/platform/keyspace.ts";
import { startChaosRedis, type ChaosRedis } from "./chaos-redis.ts";

let redis: ChaosRedis;
let client: Redis;

const announce = (): void => {};

beforeEach(async () => {
  // It writes before it answers: what a kill takes away of its own accord is not what is tried here.
  redis = await startChaosRedis({ announce, directives: ["--appendfsync", "always"] });
  client = connect(redis.url);
});
afterEach(async () => await redis.close());

function connect(url: string): Redis {
  const opened = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  opened.on("error", () => {});
  onTestFinished(() => opened.disconnect());
  return opened;
}

interface Written {
  readonly sentAt: number;
  readonly doneAt: number;
}

/** Writes number after number until Redis' clock has come to this second. */
async function writeUntil(second: number): Promise<Written[]> {
  const written: Written[] = [];
  for (;;) {
    const sentAt = Date.now();
    await client.rpush("numbers", written.length);
    written.push({ sentAt, doneAt: Date.now() });
    if (Number((await client.time())[0]) >= second) return written;
  }
}

it("killed and started again, it holds all that it acknowledged, and says so", async () => {
  const numbers = Array.from({ length: 500 }, (_, index) => String(index));
  await Promise.all(numbers.map(async (number) => await client.rpush("numbers", number)));
  await redis.kill();
  expect(await redis.restart()).toEqual({ survivedUntil: undefined });
  expect(await client.lrange("numbers", 0, -1)).toEqual(numbers);
});

it("that it lost what it acknowledged does not go unnoticed", async () => {
  const forgetful = await startChaosRedis({ announce, directives: ["--appendonly", "no"] });
  onTestFinished(async () => await forgetful.close());
  await expect.poll(async () => await connect(forgetful.url).exists("chaos:water-mark")).toBe(1);
  await forgetful.kill();
  expect(await forgetful.restart()).toEqual({ survivedUntil: 0 });
});

it("taken back to a second, it holds all up to the time it tells, and nothing of the next", async () => {
  const second = Math.floor(Date.now() / 1_000) + 1;
  const written = await writeUntil(second + 2);

  const { survivedUntil } = await redis.rollBack(second);

  const held = await client.llen("numbers");
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(written.length);
  // The marks are so many that one of them lies in the second itself.
  expect(survivedUntil).toBeGreaterThanOrEqual(second * 1_000);
  expect(written.filter(({ doneAt }) => doneAt <= survivedUntil).length).toBeLessThanOrEqual(held);
  const sentLater = written.findIndex(({ sentAt }) => sentAt >= (second + 1) * 1_000);
  expect(held).toBeLessThanOrEqual(sentLater);
});

it("a roll-back that takes nothing back fails, and Redis runs", async () => {
  await client.set("kept", "1");
  await expect(redis.rollBack(Math.floor(Date.now() / 1_000) + 60)).rejects.toThrow("no roll-back");
  expect(await client.get("kept")).toBe("1");
});

it("a roll-back to before its time fails, and Redis runs", async () => {
  await client.set("kept", "1");
  await expect(redis.rollBack(Math.floor(Date.now() / 1_000) - 60)).rejects.toThrow(
    "has nothing before",
  );
  expect(await client.get("kept")).toBe("1");
});

it("taken back twice, it holds what was written in between", async () => {
  await client.set("first", "1");
  const first = Math.floor(Date.now() / 1_000) + 1;
  await writeUntil(first + 1);
  await redis.rollBack(first);
  await client.set("between", "1");
  const second = Math.floor(Date.now() / 1_000) + 1;
  await writeUntil(second + 1);
  await redis.rollBack(second);
  expect(await client.mget("first", "between")).toEqual(["1", "1"]);
});

it("nearly full, it takes writes; over full, it refuses them; with room again, it takes them", async () => {
  await client.set("ballast", "x".repeat(1_000_000));
  await redis.fill(0.9);
  expect(await client.set("key", "1")).toBe("OK");
  await redis.fill(1.25);
  await expect(client.set("key", "2")).rejects.toThrow("OOM");
  expect(await client.get("key")).toBe("1");
  await redis.unfill();
  expect(await client.set("key", "3")).toBe("OK");
});

it("stalling, it answers in between, until it is told to stop", async () => {
  redis.stall(400, 50);
  // Whoever asks at any time is stuck sooner or later.
  for (let longestMs = 0; longestMs < 200;) {
    const askedAt = performance.now();
    await client.ping();
    longestMs = performance.now() - askedAt;
  }
  await redis.unstall();
  const calls = async () =>
    /cmdstat_debug\|?\w*:calls=(\d+)/.exec(await client.info("commandstats"))?.[1];
  const before = await calls();
  expect(before).toBeDefined();
  for (let trip = 0; trip < 1_000; trip += 1) await client.ping();
  expect(await calls()).toBe(before);
});

it("frozen, it answers nothing and drops nothing, until it is thawed", async () => {
  await client.ping();
  redis.freeze();
  let answered = false;
  const writing = client.set("key", "1").then(() => {
    answered = true;
  });
  const stranger = connect(redis.url);
  await new Promise((resolve) => stranger.once("connect", resolve));
  expect(answered).toBe(false);
  expect(client.status).toBe("ready");
  redis.thaw();
  await writing;
});

it("killed while frozen, it is dead, and comes back", async () => {
  await client.set("key", "1");
  redis.freeze();
  await redis.kill();
  await redis.restart();
  expect(await client.get("key")).toBe("1");
});

it("says how many notes are unsettled, over all shards", async () => {
  const keyspace = createKeyspace({ shards: 4, prefix: "own:" });
  await client.zadd(keyspace.sharded(0, "due"), 1, "a");
  await client.zadd(keyspace.sharded(3, "due"), 1, "b", 2, "c");
  expect(await redis.unsettled(keyspace)).toBe(3);
});
