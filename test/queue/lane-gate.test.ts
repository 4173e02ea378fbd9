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

describe("the bulk lane", () => {
  it("does one piece at a time, in the order asked for, whether one fails or not", async () => {
    const [first, second, third] = [piece("first"), piece("second"), piece("third")];
    const failed = gate.bulk(first.work);
    const done = [gate.bulk(second.work), gate.bulk(third.work)];
    await settle();
    expect(begun).toEqual(["first"]);
    first.fail(new Error("a bug"));
    await expect(failed).rejects.toThrow("a bug");
    await settle();
    expect(begun).toEqual(["first", "second"]);
    second.end();
    third.end();
    await Promise.all(done);
    expect(begun).toEqual(["first", "second", "third"]);
  });

  it("begins when the last urgent one is done, and needs no clock for that", async () => {
    const [one, other, low] = [piece("one"), piece("other"), piece("low")];
    const urgent = [gate.urgent(one.work), gate.urgent(other.work)];
    void gate.bulk(low.work);
    one.end();
    await urgent[0];
    await settle();
    expect(begun).toEqual(["one", "other"]);
    other.end();
    await urgent[1];
    await settle();
    expect(begun).toEqual(["one", "other", "low"]);
  });

  it("is not starved by an urgent one that never ends", async () => {
    const [stuck, low, next] = [piece("stuck"), piece("low"), piece("next")];
    void gate.urgent(stuck.work);
    void gate.bulk(low.work);
    void gate.bulk(next.work);
    await settle();
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

  it("leaves others as much time as it took, while urgent ones are about", async () => {
    const [urgent, low, next] = [piece("urgent"), piece("low"), piece("next")];
    const before = gate.urgent(urgent.work);
    urgent.end();
    await before;
    const done = gate.bulk(low.work);
    void gate.bulk(next.work);
    await settle();
    clock.advance(10);
    low.end();
    await done;
    await settle();
    clock.advance(9);
    await settle();
    expect(begun).toEqual(["urgent", "low"]);
    clock.advance(1);
    await settle();
    expect(begun).toEqual(["urgent", "low", "next"]);
  });
});

it("what is urgent waits for nothing, not for bulk work and not for its like", async () => {
  void gate.bulk(piece("low").work);
  await settle();
  void gate.urgent(piece("one").work);
  void gate.urgent(piece("other").work);
  expect(begun).toEqual(["low", "one", "other"]);
});
