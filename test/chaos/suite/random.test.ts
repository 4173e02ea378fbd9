/** The same seed gives the same run, and what is drawn is what was asked for. */
import { expect, it } from "vitest";
import { createRandom } from "./random.ts";

const draw = (seed: number): number[] => {
  const random = createRandom(seed);
  return Array.from({ length: 1_000 }, () => random.next());
};

it("is the same for the same seed, and another for another", () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it("is spread evenly enough to be called random", () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const value of draw(1)) {
    const tenth = Math.floor(value * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) expect(count).toBeGreaterThan(50);
});

it("whole numbers reach both ends, and no further", () => {
  const random = createRandom(3);
  const seen = new Set(Array.from({ length: 200 }, () => random.whole(4, 7)));
  expect([...seen].toSorted((one, other) => one - other)).toEqual([4, 5, 6, 7]);
});

it("shuffles without losing anything", () => {
  const items = Array.from({ length: 20 }, (_, at) => at);
  const shuffled = createRandom(5).shuffle(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((one, other) => one - other)).toEqual(items);
});

it("a fork changes nothing for its source, and differs by its name", () => {
  const [plain, forked] = [createRandom(9), createRandom(9)];
  const first = forked.fork("people").next();
  expect(forked.next()).toBe(plain.next());
  expect(createRandom(9).fork("errands").next()).not.toBe(first);
});
