/** What one disturbed round may not change. */
import { expect, it } from "vitest";
import { median } from "./median.ts";

it("the median is the middle, whatever the ends are", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([900, 10, 2, 5, 4])).toBe(5);
  expect(median([1, 2, 3, 4])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});
