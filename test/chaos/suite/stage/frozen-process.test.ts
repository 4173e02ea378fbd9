/** A process that is stopped and goes on later: nobody sees it end, and it does not know of the gap. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startChildProduct, type ChildProduct } from "../../../support/child-product.ts";
import { openTestRedis, type TestRedis } from "../../../support/redis.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(async () => await store.close());

function start(): ChildProduct {
  return startChildProduct({
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    ROLES: "api",
    LOG_LEVEL: "warn",
    REDIS_URL: store.url,
    KEY_PREFIX: store.prefix,
    SHARDS: String(store.keyspace.shards),
    JWT_SECRET_KEY: "a-secret-for-frozen-processes-long-enough-for-hs256",
  });
}

it("frozen, it takes connections and answers none, until it is thawed or ended", async () => {
  const child = start();
  const live = new URL("/health/live", await child.url);
  expect((await fetch(live)).status).toBe(200);

  child.freeze();
  let answered = false;
  const answer = fetch(live).then(({ status }) => {
    answered = true;
    return status;
  });
  // Trips to Redis take longer than it needs to answer.
  for (let trip = 0; trip < 200; trip += 1) await store.redis.ping();
  expect(answered).toBe(false);
  child.thaw();
  expect(await answer).toBe(200);

  child.freeze();
  expect(await child.stop()).toBe(0);
});

it("frozen, it can be killed", async () => {
  const child = start();
  await child.url;
  child.freeze();
  await child.kill();
  await expect(fetch(await child.url)).rejects.toThrow("fetch failed");
});
