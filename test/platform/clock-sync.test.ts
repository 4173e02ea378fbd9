/** The clock of a process keeps to Redis' time, whatever is done to the clock of its machine. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSystemClock } from "../../src/platform/clock.ts";
import { offsetOf } from "../../src/platform/clock-sync.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const HOUR_MS = 3_600_000;
/** Redis and the test share a machine; what a busy one takes for a look at the time is less. */
const NEAR_MS = 60_000;

let store: TestRedis;

beforeEach(async () => {
  store = await openTestRedis();
});
afterEach(async () => {
  vi.useRealTimers();
  await store.close();
});

async function redisNow(): Promise<number> {
  const [seconds] = await store.redis.time();
  return Number(seconds) * 1_000;
}

it.each([
  ["back", -HOUR_MS],
  ["forwards", HOUR_MS],
])("stays with Redis where the machine's clock is set %s", async (_how, stepMs) => {
  const clock = createSystemClock();
  clock.setOffset(await offsetOf(store.redis, clock));
  // Only the wall clock: no step moves the one that timers go by.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + stepMs });
  clock.setOffset(await offsetOf(store.redis, clock));
  expect(Math.abs(clock.now() - (await redisNow()))).toBeLessThan(NEAR_MS);
});
