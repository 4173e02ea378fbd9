/** A shift works its list until there is nothing more, its time is up, or it is told to end. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EnvelopeItem } from "../../src/queue/envelope.ts";
import { createShift } from "../../src/queue/shift.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { BATCH_SIZE, idsOf, item, items, LIST, openList, type OpenList } from "./lists.ts";

let store: TestRedis;
let list: OpenList;
const clock = createManualClock();
const LONGER_THAN_A_SHIFT_MS = 60_000;

beforeEach(async () => {
  store = await openTestRedis();
  list = openList(store);
});
afterEach(async () => {
  list.close();
  await store.close();
});

function shiftThat(process: (items: readonly EnvelopeItem[]) => Promise<void>) {
  return createShift({
    queue: LIST,
    list: list.outlet,
    process,
    workSuspects: process,
    clock,
    logger: createSilentLogger(),
    random: Math.random,
  });
}

describe("a shift", () => {
  it("works everything in order, and what is pushed while it waits for more", async () => {
    const worked: string[] = [];
    const last = Promise.withResolvers<void>();
    const shift = shiftThat(async (batch) => {
      worked.push(...batch.map(({ id }) => id));
      if (batch.length === 50) last.resolve();
    });
    await list.inlet.push(items(0, 250));
    const end = shift.work();
    await last.promise;
    await list.inlet.push(items(250, 251));

    expect(await end).toBe(false);
    expect(worked).toEqual(items(0, 251).map(({ id }) => id));
    expect(await store.redis.keys(`${store.prefix}*`)).toEqual([]);
  });

  it("leaves the rest to the next one when its time is up", async () => {
    const first = shiftThat(async () => clock.advance(LONGER_THAN_A_SHIFT_MS));
    await list.inlet.push(items(0, 2 * BATCH_SIZE));
    expect(await first.work()).toBe(true);
    expect((await list.outlet.begin("next")).first).toBe(`note-${BATCH_SIZE} 0`);
  });

  it("goes on after a batch that failed; its notes are not handed out again", async () => {
    const worked: number[] = [];
    const shift = shiftThat(async (batch) => {
      worked.push(batch.length);
      if (worked.length === 1) throw new Error("a bug");
    });
    await list.inlet.push(items(0, BATCH_SIZE + 7));
    expect(await shift.work()).toBe(false);
    expect(worked).toEqual([BATCH_SIZE, 7]);
  });

  it("ends at once when it is told to while it waits, and leaves no mark", async () => {
    const shift = shiftThat(async () => {});
    await list.inlet.push([item("a")]);
    const end = shift.work();
    await expect.poll(list.isWaitedOn).toBe(true);
    shift.close();
    expect(await end).toBe(false);
    expect(await store.redis.keys(`${store.prefix}*`)).toEqual([]);
  });

  it("that was told to end before it began asks for another one", async () => {
    await list.inlet.push([item("a")]);
    const shift = shiftThat(async () => {});
    shift.close();
    expect(await shift.work()).toBe(true);
    const next = openList(store);
    expect(idsOf(await next.outlet.begin("next"))).toEqual(["a"]);
    next.close();
  });

  it("whose connection breaks ends, and the next push asks for another one", async () => {
    const worked: string[] = [];
    const shift = shiftThat(async (batch) => {
      worked.push(...batch.map(({ id }) => id));
    });
    await list.inlet.push([item("a")]);
    const end = shift.work();
    await expect.poll(list.isWaitedOn).toBe(true);
    await list.cutTakes();
    expect(await end).toBe(false);

    expect(await list.inlet.push([item("b")])).toBe(true);
    expect(await shift.work()).toBe(false);
    expect(worked).toEqual(["a", "b"]);
  });
});
