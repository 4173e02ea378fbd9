/** Workers tell how providers are doing, and any process can read it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createBreakerTelling,
  readBreakerCensus,
  type ProvidersHealth,
} from "../../../src/channels/breaker/breaker-census.ts";
import { connectRedis } from "../../../src/platform/redis.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../../support/redis.ts";

const HEALTHY: ProvidersHealth = {
  push: { state: "healthy", open: 0 },
  sms: { state: "healthy", open: 0 },
};
const SMS_DOWN: ProvidersHealth = { ...HEALTHY, sms: { state: "unhealthy", open: 1 } };

let store: TestRedis;
let clock: ManualClock;

beforeEach(async () => {
  store = await openTestRedis();
  clock = createManualClock();
});
afterEach(() => store.close());

function workerThatFinds(nodeId: string, found: ProvidersHealth) {
  const { redis, keyspace } = store;
  const seen = { found };
  const telling = createBreakerTelling({
    redis,
    keyspace,
    clock,
    nodeId,
    health: () => seen.found,
  });
  telling.start();
  return { telling, seen };
}

const read = () => readBreakerCensus({ redis: store.redis, keyspace: store.keyspace, clock });

describe("the providers' health", () => {
  it("is good where nobody tells", async () => {
    expect(await read()).toEqual(HEALTHY);
  });

  it("is bad where all workers find it so, and in between where some do", async () => {
    const one = workerThatFinds("one", SMS_DOWN);
    await expect.poll(read).toEqual(SMS_DOWN);
    const other = workerThatFinds("other", HEALTHY);
    await expect.poll(async () => (await read()).sms).toEqual({ state: "degraded", open: 1 });
    other.seen.found = SMS_DOWN;
    other.telling.tell();
    await expect.poll(read).toEqual(SMS_DOWN);
    await one.telling.close();
    await other.telling.close();
    expect(await read()).toEqual(HEALTHY);
  });

  it("is told again and again, and that of a worker that died is forgotten", async () => {
    const { redis, keyspace } = store;
    const { telling } = workerThatFinds("living", HEALTHY);
    await redis.hset(
      keyspace.plain("providers"),
      "dead",
      JSON.stringify({ at: clock.now(), ...SMS_DOWN }),
    );
    await expect.poll(async () => (await read()).sms.state).toBe("degraded");
    clock.advance(16_000);
    await expect.poll(async () => await redis.hlen(keyspace.plain("providers"))).toBe(2);
    expect(await read()).toEqual(HEALTHY);
    expect(await redis.hkeys(keyspace.plain("providers"))).toEqual(["living"]);
    await telling.close();
  });

  it("is told in good order to the end, though Redis is away by then", async () => {
    const redis = connectRedis(store.url, "command");
    const { keyspace } = store;
    const telling = createBreakerTelling({
      redis,
      keyspace,
      clock,
      nodeId: "last",
      health: () => HEALTHY,
    });
    telling.start();
    redis.disconnect();
    await expect(telling.close()).resolves.toBeUndefined();
  });
});
