/** Many commands at once: answered in order, refused as a whole, and never waited for without end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectRedis, runForEach } from "../../src/platform/redis.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { startMuteRedis } from "./mute-redis.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(() => store.close());

const keyOf = (name: string): string => store.keyspace.plain(name);

describe("commands for several items", () => {
  it("are answered in the order of the items, however many there are", async () => {
    const write = (count: number) =>
      runForEach(store.redis, ["a", "b", "c"].slice(0, count), (name) => [
        "set",
        keyOf(name),
        `ö ${name}`,
        "EX",
        60,
        "NX",
        "GET",
      ]);
    expect(await write(0)).toEqual([]);
    expect(await write(1)).toEqual([null]);
    expect(await write(3)).toEqual(["ö a", null, null]);
    const read = await runForEach(store.redis, ["c", "none", "a"], (name) => ["get", keyOf(name)]);
    expect(read).toEqual(["ö c", null, "ö a"]);
  });

  it("fail together when one of them is refused", async () => {
    await store.redis.hset(keyOf("hash"), "field", "1");
    const read = runForEach(store.redis, ["none", "hash"], (name) => ["get", keyOf(name)]);
    await expect(read).rejects.toThrow("WRONGTYPE");
  });

  it("are given up when Redis does not answer, whether one or many wait", async () => {
    for (const names of [["lonely"], ["silent", "mute"]]) {
      // On a connection that is cut afterwards: Redis would still be waiting on it.
      const redis = store.redis.duplicate();
      redis.on("error", () => {});
      await new Promise<void>((resolve) => void redis.once("ready", resolve));
      const wait = runForEach(redis, names, (name) => ["blpop", keyOf(name), 0]);
      await expect(wait).rejects.toThrow("Command timed out");
      redis.disconnect();
    }
  });
});

describe("a Redis that keeps the connection and answers nothing", () => {
  it("is given up, so that what waits for its answers does not pile up, and tried again", async () => {
    const mute = await startMuteRedis();
    const redis = connectRedis(mute.url, "command");
    await new Promise<void>((resolve) => void redis.once("ready", resolve));
    expect(await redis.get("anything")).toBe("OK");

    mute.fallSilent();
    const hungUp = mute.nextHangUp();
    await expect(redis.get("anything")).rejects.toThrow("Command timed out");
    await hungUp;
    mute.speakAgain();

    await expect.poll(async () => await redis.get("anything").catch(() => "away")).toBe("OK");
    expect(mute.connections()).toBeGreaterThan(1);
    redis.disconnect();
    await mute.close();
  });
});
