/** A seed decides a run, and seeds in a row leave no fault out. */
import { expect, it } from "vitest";
import { FAULT_NAMES } from "./faults/faults.ts";
import { STORE_KINDS } from "./store.ts";
import { describePlan, planRun } from "./plan.ts";

const plan = (seed: number) => planRun({ seed, faults: undefined, ratePerSecond: 20 });

it("is the same for the same seed, and another for another", () => {
  expect(plan(12)).toEqual(plan(12));
  expect(describePlan(plan(12))).not.toBe(describePlan(plan(13)));
});

it("as many seeds as there are faults strike with each of them", () => {
  const struck = FAULT_NAMES.flatMap((_, at) =>
    STORE_KINDS.flatMap((store) =>
      planRun({ seed: at + 1, faults: undefined, ratePerSecond: 20, store }).strikes.map(
        ({ fault }) => fault,
      ),
    ),
  );
  expect(new Set(struck)).toEqual(new Set(FAULT_NAMES));
});

it("some runs combine faults; a rollback strikes alone", () => {
  const plans = Array.from({ length: 200 }, (_, seed) => plan(seed + 1).strikes);
  expect(plans.some((strikes) => strikes.length > 1)).toBe(true);
  const rollbacks = plans.filter((strikes) =>
    strikes.some(({ fault }) => fault === "redis-rollback"),
  );
  expect(rollbacks.length).toBeGreaterThan(0);
  for (const strikes of rollbacks) expect(strikes.length).toBe(1);
});

it("no two notifications share a key or a number, and every way is gone", () => {
  const { errands } = plan(4);
  expect(new Set(errands.map(({ key }) => key)).size).toBe(errands.length);
  const numbers = errands.flatMap(({ phoneNumber }) => phoneNumber ?? []);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(new Set(errands.map(({ by }) => by))).toEqual(
    new Set(["rest", "bulk", "kafka", "domain"]),
  );
  expect(errands.some(({ cancel }) => cancel)).toBe(true);
});

it("takes the faults that it is given", () => {
  const given = planRun({ seed: 1, faults: ["redis-kill"], ratePerSecond: 20 });
  expect(given.strikes.map(({ fault }) => fault)).toEqual(["redis-kill"]);
  expect(planRun({ seed: 1, faults: [], ratePerSecond: 20 }).strikes).toEqual([]);
});
