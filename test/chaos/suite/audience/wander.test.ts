/** Those who come and go do, and nobody else does. */
import { afterEach, expect, it, vi } from "vitest";
import { makePeople } from "../people.ts";
import { createRandom } from "../../../support/random.ts";
import { wander } from "./wander.ts";

afterEach(() => void vi.useRealTimers());

it("closes and opens the pages of wanderers only, until it is stopped", () => {
  vi.useFakeTimers();
  const people = makePeople(createRandom(1));
  const reopened: string[] = [];
  const pages = people.filter(({ pages: count }) => count > 0).map(({ userId }) => ({ userId }));
  const wandering = wander(
    { seed: 1, people },
    { pages: () => pages, reopen: ([page]) => void reopened.push(page.userId) },
  );
  vi.advanceTimersByTime(10_000);
  expect(reopened.length).toBeGreaterThan(10);
  expect(reopened.filter((userId) => !userId.startsWith("wanderer-"))).toEqual([]);
  const before = reopened.length;
  wandering.stop();
  vi.advanceTimersByTime(10_000);
  expect(reopened).toHaveLength(before);
});
