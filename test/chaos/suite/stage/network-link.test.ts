/** Each way in which the network to Redis breaks, as the process behind it meets it. */
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTestRedis, type TestRedis } from "../../../support/redis.ts";
import { startLink, type NetworkLink } from "./network-link.ts";

let store: TestRedis;
let link: NetworkLink;
let client: Redis;

beforeEach(async () => {
  store = await openTestRedis();
  link = await startLink(store.url);
  client = new Redis(link.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  await client.ping();
});
afterEach(async () => {
  client.disconnect();
  await link.close();
  await store.close();
});

const key = (name: string): string => `${store.prefix}${name}`;

/** Resolves when Redis holds it, however long the network takes. */
async function arrives(name: string): Promise<void> {
  await expect.poll(async () => await store.redis.exists(key(name))).toBe(1);
}

/** A promise that has to stay open; `isOpen` tells after a trip to Redis past the link. */
function watch(promise: Promise<unknown>): () => Promise<boolean> {
  let open = true;
  const settle = (): void => {
    open = false;
  };
  promise.then(settle, settle);
  return async () => {
    for (let trip = 0; trip < 20; trip += 1) await store.redis.ping();
    return open;
  };
}

it("passes large values and thousands of commands in order", async () => {
  const large = "x".repeat(4_000_000);
  await client.set(key("large"), large);
  expect(await client.get(key("large"))).toBe(large);
  const numbers = await Promise.all(
    Array.from({ length: 5_000 }, async () => await client.incr(key("count"))),
  );
  expect(numbers).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
});

it("cut: who is connected loses the connection, who comes is refused, until it heals", async () => {
  const closed = new Promise((resolve) => client.once("close", resolve));
  const refused = new Promise<Error>((resolve) => {
    client.on("error", (error) => {
      if ("code" in error && error.code === "ECONNREFUSED") resolve(error);
    });
  });
  link.cut();
  await closed;
  await refused;
  expect(link.connections()).toBe(0);
  const waiting = client.set(key("after"), "1");
  await link.heal();
  expect(await waiting).toBe("OK");
});

it("blackhole: nobody is told anything, and what was sent arrives when it heals", async () => {
  await link.blackhole();
  const writing = client.set(key("late"), "1");
  const stranger = new Redis(link.url, { maxRetriesPerRequest: null });
  const connected = new Promise((resolve) => stranger.once("connect", resolve));
  const asking = stranger.get(key("late"));
  await connected;
  const [writes, asks] = [watch(writing), watch(asking)];
  expect(await writes()).toBe(true);
  expect(await asks()).toBe(true);
  expect(await store.redis.exists(key("late"))).toBe(0);
  expect(client.status).toBe("ready");

  await link.heal();
  expect(await writing).toBe("OK");
  await asking;
  stranger.disconnect();
});

it("delay: every answer takes twice as long, and the order stays", async () => {
  await link.delay(60);
  const startedAt = performance.now();
  const answers = Promise.all(
    Array.from({ length: 200 }, async () => await client.incr(key("slow"))),
  );
  const asked = await answers;
  // A delay is a lower bound, whatever else the machine does.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(120);
  expect(asked).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));

  const last = client.set(key("last"), "1");
  await link.heal();
  await last;
});

it("muted: Redis does it, the process never hears, and no later answer is taken for it", async () => {
  await link.muteReplies();
  const adding = client.incr(key("done"));
  await arrives("done");
  expect(await watch(adding)()).toBe(true);

  await link.heal();
  // The connection broke, and the client asks again: it hears of its second try, not of its first.
  expect(await adding).toBe(2);
  expect(await client.get(key("done"))).toBe("2");
});

it("a process that is killed leaves nothing behind in Redis", async () => {
  const name = key("visitor").replaceAll(/[^a-z0-9-]/g, "-");
  const visitor = new Redis(link.url, { connectionName: name, retryStrategy: () => null });
  visitor.on("error", () => {});
  await visitor.ping();
  const listed = async () => String(await store.redis.client("LIST")).includes(`name=${name} `);
  expect(await listed()).toBe(true);
  visitor.stream.resetAndDestroy?.();
  await expect.poll(listed).toBe(false);
  visitor.disconnect();
});
