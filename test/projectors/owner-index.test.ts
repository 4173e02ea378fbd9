/** Who owns what, as events taught it and administrators set it, over any number of processes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOwnerIndex, type OwnerIndex } from "../../src/projectors/owner-index.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const DAY_SECONDS = 86_400;

let store: TestRedis;
let index: OwnerIndex;

beforeAll(async () => {
  store = await openTestRedis();
  index = createOwnerIndex(store);
});

afterAll(async () => {
  await store.close();
});

describe("the owner of a batch or class", () => {
  it("is not known before anyone has said so", async () => {
    expect(await index.ownersOf([{ kind: "batch", id: "unheard-of" }])).toEqual([undefined]);
    expect(await index.ownersOf([])).toEqual([]);
  });

  it("is who was named first", async () => {
    const claim = { kind: "batch", id: "first", userId: "teacher-1" } as const;
    expect(await index.learn([claim])).toEqual(["teacher-1"]);
    expect(await index.learn([{ ...claim, userId: "teacher-2" }])).toEqual(["teacher-1"]);
    expect(await index.ownersOf([claim])).toEqual(["teacher-1"]);
  });

  it("is who an administrator says, and stays it", async () => {
    const claim = { kind: "class", id: "given-away", userId: "teacher-1" } as const;
    expect(await index.put(claim)).toBeUndefined();
    expect(await index.put({ ...claim, userId: "teacher-2" })).toBe("teacher-1");
    expect(await index.learn([claim])).toEqual(["teacher-2"]);
    expect(await index.ownersOf([claim])).toEqual(["teacher-2"]);
  });

  it("is another one for a batch and a class of the same id", async () => {
    const id = "same";
    await index.learn([
      { kind: "batch", id, userId: "teacher-1" },
      { kind: "class", id, userId: "teacher-2" },
    ]);
    const asked = [
      { kind: "class", id },
      { kind: "batch", id },
    ] as const;
    expect(await index.ownersOf(asked)).toEqual(["teacher-2", "teacher-1"]);
  });

  it("is one for all processes that hear of it at once", async () => {
    const learnt = await Promise.all(
      ["teacher-1", "teacher-2", "teacher-3"].map((userId) =>
        createOwnerIndex(store).learn([{ kind: "batch", id: "raced", userId }]),
      ),
    );
    expect(new Set(learnt.flat()).size).toBe(1);
    expect(await index.ownersOf([{ kind: "batch", id: "raced" }])).toEqual(learnt[0]);
  });

  it("is forgotten after four hundred days, under keys that operators know", async () => {
    await index.learn([{ kind: "batch", id: "b-1", userId: "teacher-1" }]);
    await index.put({ kind: "class", id: "c-1", userId: "teacher-1" });
    for (const key of ["owner:batch:b-1", "owner:class:c-1"]) {
      const seconds = await store.redis.ttl(store.keyspace.plain(key));
      expect(seconds).toBeGreaterThan(399 * DAY_SECONDS);
      expect(seconds).toBeLessThanOrEqual(400 * DAY_SECONDS);
    }
  });
});
