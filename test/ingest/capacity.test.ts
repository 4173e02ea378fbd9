/** What waits for room in the store, and for how long an answer holds. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCapacity } from "../../src/ingest/capacity.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(() => store.close());

const MAX_DEPTH = 10;
const FULL = { code: "unavailable", retryAfterSeconds: 5 };

/** `depth` is looked up through `held`: a test decides when the answer comes. */
function openCapacity() {
  const clock = createManualClock();
  const state = { depth: 0, looks: 0, held: Promise.resolve() };
  const capacity = createCapacity({
    redis: store.redis,
    clock,
    maxDepth: MAX_DEPTH,
    outcomeBacklog: async () => 0,
    async depth() {
      state.looks += 1;
      await state.held;
      return state.depth;
    },
  });
  return { clock, state, capacity };
}

it("refuses while too many notifications wait, and no longer once they are fewer", async () => {
  const { clock, state, capacity } = openCapacity();
  state.depth = MAX_DEPTH + 1;
  await expect(capacity.assertRoom()).rejects.toMatchObject(FULL);
  state.depth = MAX_DEPTH;
  clock.advance(10_000);
  await capacity.assertRoom();
});

it("asks once for all requests of a second", async () => {
  const { clock, state, capacity } = openCapacity();
  await Promise.all(Array.from({ length: 50 }, () => capacity.assertRoom()));
  clock.advance(999);
  await capacity.assertRoom();
  expect(state.looks).toBe(1);
});

it("lets requests at load go on while it looks anew, and heeds what it then sees", async () => {
  const { clock, state, capacity } = openCapacity();
  await capacity.assertRoom();
  const slow = Promise.withResolvers<void>();
  Object.assign(state, { depth: MAX_DEPTH + 1, held: slow.promise });
  clock.advance(1_000);
  await capacity.assertRoom();
  slow.resolve();
  await expect
    .poll(() => capacity.assertRoom().catch((error: unknown) => error))
    .toMatchObject(FULL);
  expect(state.looks).toBe(2);
});

it("takes nothing on an old answer", async () => {
  const { clock, state, capacity } = openCapacity();
  await capacity.assertRoom();
  state.depth = MAX_DEPTH + 1;
  clock.advance(2_000);
  await expect(capacity.assertRoom()).rejects.toMatchObject(FULL);
});
