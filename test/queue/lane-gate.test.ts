/** What is urgent goes first in a process, and what can wait still gets done. */
import { beforeEach, describe, expect, it } from "vitest";
import { createLaneGate, type LaneGate } from "../../src/queue/lane-gate.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";

/** More than anybody waits or rests. */
const LONG_MS = 1_000;

let clock: ManualClock;
let gate: LaneGate;
let begun: string[];
beforeEach(() => {
  clock = createManualClock();
  gate = createLaneGate(clock);
  begun = [];
});

/** Work that ends when it is told to. */
function piece(name: string) {
  const end = Promise.withResolvers<void>();
  return {
    end: end.resolve,
    fail: end.reject,
    work: async (): Promise<void> => {
      begun.push(name);
      await end.promise;
    },
  };
}

/** All that can go on without time passing has gone on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An urgent one has just been here. */
async function meetUrgent(): Promise<void> {
  await gate.urgent(async () => {});
}

describe("the bulk lane, while urgent ones are about,", () => {
  it("does one piece at a time, in the order asked for, whether one fails or not", async () => {
    await meetUrgent();
    const [first, second, third] = [piece("first"), piece("second"), piece("third")];
    const failed = gate.bulk([1], first.work);
    const done = [gate.bulk([1], second.work), gate.bulk([1], third.work)];
    await settle();
    expect(begun).toEqual(["first"]);
    first.fail(new Error("a bug"));
    await expect(failed).rejects.toThrow("a bug");
    clock.advance(LONG_MS);
    await settle();
    expect(begun).toEqual(["first", "second"]);
    second.end();
    third.end();
    await settle();
    clock.advance(LONG_MS);
    await Promise.all(done);
    expect(begun).toEqual(["first", "second", "third"]);
  });

  it("works many a few at a time, all of them, in order", async () => {
    await meetUrgent();
    const parts: number[][] = [];
    const items = Array.from({ length: 25 }, (_, index) => index);
    const done = gate.bulk(items, async (part) => {
      parts.push([...part]);
      await meetUrgent();
    });
    for (let turn = 0; turn < 5; turn += 1) {
      await settle();
      clock.advance(1);
    }
    await done;
    expect(parts.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(parts.flat()).toEqual(items);
  });

  it("begins when the last of them is done, and needs no clock for that", async () => {
    const [one, other, low] = [piece("one"), piece("other"), piece("low")];
    const urgent = [gate.urgent(one.work), gate.urgent(other.work)];
    void gate.bulk([1], low.work);
    one.end();
    await urgent[0];
    await settle();
    expect(begun).toEqual(["one", "other"]);
    other.end();
    await urgent[1];
    await settle();
    expect(begun).toEqual(["one", "other", "low"]);
  });

  it("is not starved by one that never ends", async () => {
    const [stuck, low, next] = [piece("stuck"), piece("low"), piece("next")];
    void gate.urgent(stuck.work);
    void gate.bulk([1], low.work);
    void gate.bulk([1], next.work);
    await settle();
    expect(begun).toEqual(["stuck"]);
    clock.advance(LONG_MS);
    await settle();
    expect(begun).toEqual(["stuck", "low"]);
    low.end();
    for (let turn = 0; turn < 3; turn += 1) {
      await settle();
      clock.advance(LONG_MS);
    }
    await settle();
    expect(begun).toEqual(["stuck", "low", "next"]);
  });

  it("leaves others as much time as it took", async () => {
    await meetUrgent();
    const [low, next] = [piece("low"), piece("next")];
    const done = gate.bulk([1], low.work);
    void gate.bulk([1], next.work);
    await settle();
    clock.advance(10);
    low.end();
    await done;
    await settle();
    clock.advance(9);
    await settle();
    expect(begun).toEqual(["low"]);
    clock.advance(1);
    await settle();
    expect(begun).toEqual(["low", "next"]);
  });
});

describe("the bulk lane, when urgent ones have long been gone,", () => {
  it("works side by side, and all at once", async () => {
    await meetUrgent();
    clock.advance(10 * LONG_MS);
    const sizes: number[] = [];
    const hang = async (part: readonly number[]): Promise<void> => {
      sizes.push(part.length);
      await new Promise(() => {});
    };
    void gate.bulk(
      Array.from({ length: 25 }, () => 1),
      hang,
    );
    void gate.bulk([1, 2], hang);
    await settle();
    expect(sizes).toEqual([25, 2]);
  });
});

it("what is urgent waits for nothing, not for bulk work and not for its like", async () => {
  void gate.bulk([1], piece("low").work);
  await settle();
  void gate.urgent(piece("one").work);
  void gate.urgent(piece("other").work);
  expect(begun).toEqual(["low", "one", "other"]);
});
