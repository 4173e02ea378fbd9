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

it("draws for a seed what it always drew, so that seeds of old reports can be run again", () => {
  const random = createRandom(7);
  expect([random.next(), random.next(), random.next()]).toEqual([
    0.011704753153026104, 0.06195825757458806, 0.97690763277933,
  ]);
  expect(random.whole(1, 1_000)).toBe(700);
  expect(random.shuffle([1, 2, 3, 4, 5, 6])).toEqual([4, 3, 2, 1, 6, 5]);
  expect(createRandom(7).fork("people").whole(1, 1_000_000)).toBe(505_318);
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

it("picks from what there is", () => {
  const random = createRandom(4);
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"])));
  expect(picked.size).toBe(3);
  expect(() => random.pick([])).toThrow("nothing to pick from");
  const between = Array.from({ length: 100 }, () => random.between(-2, 3));
  expect(Math.min(...between)).toBeGreaterThanOrEqual(-2);
  expect(Math.max(...between)).toBeLessThan(3);
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
