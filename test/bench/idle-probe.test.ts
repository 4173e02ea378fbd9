/** A socket that is not alive, or got a message twice, does not pass for an idle one. */
import { describe, expect, it } from "vitest";
import { countWrong } from "./idle-probe.ts";

describe("whether idle sockets got what was meant for them", () => {
  const expected = new Map([
    [0, "a"],
    [15, "b"],
  ]);

  it("finds nothing wrong where each got its own once", () => {
    const received = new Map([
      [0, ["a"]],
      [15, ["b"]],
    ]);
    expect(countWrong(expected, received)).toBe(0);
  });

  it.each([
    ["lost", new Map([[0, ["a"]]])],
    [
      "doubled",
      new Map([
        [0, ["a", "a"]],
        [15, ["b"]],
      ]),
    ],
    [
      "another's",
      new Map([
        [0, ["a"]],
        [15, ["a"]],
      ]),
    ],
    [
      "at a socket that nothing was meant for",
      new Map([
        [0, ["a"]],
        [15, ["b"]],
        [3, ["b"]],
      ]),
    ],
  ])("counts a socket where one was %s", (_fault, received) => {
    expect(countWrong(expected, received)).toBe(1);
  });
});
