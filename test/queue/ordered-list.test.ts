/** A list gives back what was put in, in order, whoever dies at whatever step. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { queuePrefix } from "../../src/queue/lanes.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { BATCH_SIZE, idsOf, item, items, LIST, openList, type OpenList } from "./lists.ts";

let store: TestRedis;
let list: OpenList;

beforeEach(async () => {
  store = await openTestRedis();
  list = openList(store);
});
afterEach(async () => {
  list.close();
  await store.close();
});

const keys = async (): Promise<string[]> => await store.redis.keys(`${store.prefix}*`);
/** What time does to the mark of a call or a shift that nobody hears of again. */
const lapse = async (): Promise<unknown> =>
  await store.redis.del(`${queuePrefix(store.keyspace, LIST)}:awake`);

describe("a list", () => {
  it("gives batches in the order of the pushes, and leaves no key behind", async () => {
    const { inlet, outlet } = list;
    await inlet.push(items(0, 1_500));
    await inlet.push(items(1_500, 1_520));
    expect(await inlet.waiting()).toBe(1_520);

    const taken: string[] = [];
    let batch = await outlet.begin("shift");
    while (batch.size > 0) {
      expect(batch.size).toBeLessThanOrEqual(BATCH_SIZE);
      taken.push(...batch.items().map(({ id }) => id));
      batch = (await outlet.take("shift", 0.01)) ?? batch;
    }
    expect(taken).toEqual(items(0, 1_520).map(({ id }) => id));
    expect(await outlet.finish("shift", "")).toBe(false);
    expect(await keys()).toEqual([]);
  });

  it("asks for a shift once, until that one has ended", async () => {
    const { inlet, outlet } = list;
    expect(await inlet.push([item("a")])).toBe(true);
    expect(await inlet.push([item("b")])).toBe(false);
    const batch = await outlet.begin("shift");
    expect(await inlet.push([item("c")])).toBe(false);
    await outlet.take("shift", 1);
    await outlet.take("shift", 0.01);
    expect(batch.size).toBe(2);
    expect(await outlet.finish("shift", "")).toBe(false);
    expect(await inlet.push([item("d")])).toBe(true);
  });

  it("hands what is pushed to a shift that waits for it", async () => {
    const { inlet, outlet } = list;
    await inlet.push([item("a")]);
    await outlet.begin("shift");
    const next = outlet.take("shift", 30);
    await inlet.push([item("b")]);
    expect(idsOf(await next)).toEqual(["b"]);
  });

  it("asks for the next shift where something is left", async () => {
    const { inlet, outlet } = list;
    await inlet.push(items(0, BATCH_SIZE + 1));
    const batch = await outlet.begin("one");
    expect(await outlet.finish("one", batch.first)).toBe(true);
    expect(idsOf(await outlet.begin("two"))).toEqual([`note-${BATCH_SIZE}`]);
  });
});

describe("when a process dies", () => {
  it("after its push, the next push or look calls again, once the call has lapsed", async () => {
    const { inlet, outlet } = list;
    await inlet.push([item("a")]);
    expect(await outlet.call()).toBe(false);
    await lapse();
    expect(await outlet.call()).toBe(true);
    await lapse();
    expect(await inlet.push([item("b")])).toBe(true);
    expect(idsOf(await outlet.begin("shift"))).toEqual(["a", "b"]);
  });

  it("with a batch in hand, the next shift begins with that batch", async () => {
    const { inlet, outlet } = list;
    await inlet.push(items(0, BATCH_SIZE + 1));
    const lost = idsOf(await outlet.begin("dead"));
    expect(idsOf(await outlet.begin("next"))).toEqual(lost);
    expect(idsOf(await outlet.take("next", 0.01))).toEqual([`note-${BATCH_SIZE}`]);
  });

  it("with the last batch in hand, a look finds it", async () => {
    const { inlet, outlet } = list;
    await inlet.push([item("a")]);
    await outlet.begin("dead");
    await lapse();
    expect(await outlet.call()).toBe(true);
    expect(idsOf(await outlet.begin("next"))).toEqual(["a"]);
  });

  it("before it hears what it took, its end leaves that to the next shift", async () => {
    const { inlet, outlet } = list;
    await inlet.push([item("a")]);
    const known = await outlet.begin("shift");
    await inlet.push([item("b")]);
    await outlet.take("shift", 1);
    expect(await outlet.finish("shift", known.first)).toBe(true);
    expect(idsOf(await outlet.begin("next"))).toEqual(["b"]);
  });

  it("each time over the same batch, the batch says how often, and the next one begins anew", async () => {
    const { inlet, outlet } = list;
    await inlet.push(items(0, BATCH_SIZE + 1));
    for (const [returns, shift] of ["one", "two", "three", "four"].entries()) {
      expect(await outlet.begin(shift)).toMatchObject({ first: "note-0 0", returns });
    }
    expect(await outlet.take("four", 0.01)).toMatchObject({ size: 1, returns: 0 });
    expect(await outlet.begin("five")).toMatchObject({ first: `note-${BATCH_SIZE} 0`, returns: 1 });
  });
});

describe("two shifts that both believe in themselves", () => {
  it("take from the list one after the other, never both", async () => {
    const { inlet, outlet } = list;
    await inlet.push(items(0, 3 * BATCH_SIZE));
    const slow = await outlet.begin("slow");
    await outlet.begin("quick");
    expect(await outlet.take("slow", 0.01)).toBeUndefined();
    expect(await outlet.finish("slow", slow.first)).toBe(false);
    expect((await outlet.take("quick", 0.01))?.first).toBe(`note-${BATCH_SIZE} 0`);
    expect((await outlet.take("quick", 0.01))?.first).toBe(`note-${2 * BATCH_SIZE} 0`);
  });

  it("do not wake each other up in vain: one that waits takes nothing from the other", async () => {
    const { inlet, outlet } = list;
    const other = openList(store);
    await inlet.push([item("a")]);
    await outlet.begin("slow");
    const refused = outlet.take("slow", 30);
    await other.outlet.begin("quick");
    const next = other.outlet.take("quick", 30);
    await inlet.push([item("b")]);
    expect(await refused).toBeUndefined();
    expect(idsOf(await next)).toEqual(["b"]);
    other.close();
  });
});

it("refuses what this product did not write", async () => {
  await store.redis.rpush(`${queuePrefix(store.keyspace, LIST)}:items`, "nonsense");
  const batch = await list.outlet.begin("shift");
  expect(() => batch.items()).toThrow("no item");
});
