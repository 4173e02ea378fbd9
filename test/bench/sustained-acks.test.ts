/** A rate over fifteen seconds may hide one in which nothing came. */
import { expect, it } from "vitest";
import { slowestSecond } from "./sustained-acks.ts";

it("the slowest second is the one with the fewest, none of them left out", () => {
  const times = [5_100, 5_200, 5_900, 7_000, 7_999, 8_001];
  expect(slowestSecond(times, 5_000, 3_500)).toBe(0);
  expect(slowestSecond([...times, 6_500], 5_000, 3_500)).toBe(1);
});

it("a second that is not whole counts for nothing", () => {
  expect(slowestSecond([100, 200, 1_000], 0, 1_500)).toBe(2);
  expect(slowestSecond([100], 0, 900)).toBeNaN();
});
