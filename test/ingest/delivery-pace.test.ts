/** A heap of events waits for delivery; nothing else does, and nothing waits for ever. */
import { expect, it } from "vitest";
import { paceByDelivery } from "../../src/ingest/delivery-pace.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { recordOf } from "./intake-scene.ts";

const TOO_MANY = 5_001;
const HEAP = 500;

/** A handler with `waiting` notes before it, and how many chunks it was given. */
function openPace() {
  const clock = createManualClock();
  const state = { waiting: TOO_MANY, handled: 0, looks: 0 };
  const handle = paceByDelivery(
    async () => {
      state.handled += 1;
    },
    {
      clock,
      async waiting() {
        state.looks += 1;
        return state.waiting;
      },
    },
  );
  const give = (records: number): Promise<void> =>
    handle(Array.from({ length: records }, () => recordOf({}, { timestamp: clock.now() })));
  return { clock, state, give };
}

/** What is to happen without time passing has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("holds the chunk of a heap until enough is delivered", async () => {
  const { clock, state, give } = openPace();
  const given = give(HEAP);
  await settled();
  clock.advance(20);
  await settled();
  expect(state.handled).toBe(0);
  state.waiting = TOO_MANY - 1;
  clock.advance(20);
  await given;
  expect(state.handled).toBe(1);
});

it("lets a few events pass whatever waits", async () => {
  const { state, give } = openPace();
  await give(1);
  await give(99);
  expect(state).toMatchObject({ handled: 2, looks: 0 });
});

it("goes on after a second where nothing is delivered", async () => {
  const { clock, state, give } = openPace();
  const given = give(HEAP);
  for (let ms = 0; ms < 980; ms += 20) {
    await settled();
    clock.advance(20);
  }
  await settled();
  expect(state.handled).toBe(0);
  clock.advance(20);
  await given;
  expect(state.handled).toBe(1);
});

it("looks once for all partitions that wait", async () => {
  const { clock, state, give } = openPace();
  const given = [give(HEAP), give(HEAP), give(HEAP)];
  await settled();
  expect(state.looks).toBe(1);
  state.waiting = 0;
  clock.advance(20);
  await Promise.all(given);
  expect(state.looks).toBe(2);
});

it("fails with the look, so that the chunk is handed over again", async () => {
  const handle = paceByDelivery(async () => {}, {
    clock: createManualClock(),
    waiting: () => Promise.reject(new Error("Redis is away")),
  });
  const heap = Array.from({ length: HEAP }, () => recordOf({}, { timestamp: 0 }));
  await expect(handle(heap)).rejects.toThrow("Redis is away");
});
