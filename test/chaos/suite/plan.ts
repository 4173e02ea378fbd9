/** What happens in a run, drawn from its seed: who is written to, what is asked for, what breaks when. */
import type { Fault } from "./faults/fault.ts";
import { FAULT_NAMES, FAULTS, isPossible, type FaultName } from "./faults/faults.ts";
import { planErrands, type Errand } from "./load/errand.ts";
import { makePeople, type Person } from "./people.ts";
import type { StoreKind } from "./store.ts";
import { createRandom, type Random } from "../../support/random.ts";

export interface Strike {
  readonly fault: FaultName;
  /** After the start of the load, ms. */
  readonly atMs: number;
}

export interface RunPlan {
  readonly seed: number;
  readonly people: readonly Person[];
  readonly errands: readonly Errand[];
  /** In the order of their times. */
  readonly strikes: readonly Strike[];
  readonly stepsClocks: boolean;
  readonly store: StoreKind;
}

export interface PlanOptions {
  readonly seed: number;
  /** Undefined: drawn from the seed, each in its turn. */
  readonly faults: readonly FaultName[] | undefined;
  readonly ratePerSecond: number;
  readonly store?: StoreKind;
}

/** At most; the load ends a while after the last fault was lifted. */
const DURATION_MS = 150_000;
/** So that something is under way before. */
const FIRST_STRIKE_MS = 4_000;
const LAST_STRIKE_MS = 12_000;
/** Of the runs whose fault may strike together with others. */
const TOGETHER_SHARE = 0.4;
const MOST_TOGETHER = 2;

/** @throws Error if a fault is asked for that means nothing where data are kept so */
export function planRun(options: PlanOptions): RunPlan {
  const { seed, ratePerSecond, store = "single" } = options;
  const faults = options.faults ?? drawFaults(seed, store, createRandom(seed).fork("faults"));
  const misplaced = faults.find((name) => !isPossible(name, store));
  if (misplaced !== undefined) throw new Error(`${misplaced} means nothing with a ${store} Redis`);
  const random = createRandom(seed);
  const people = makePeople(random.fork("people"));
  const shape = { seed, ratePerSecond, durationMs: DURATION_MS };
  const errands = planErrands(shape, people, random.fork("errands"));
  const strikes = planStrikes(faults, random);
  const stepsClocks = strikes.some(({ fault }) => faultOf(fault).stepsClocks === true);
  return { seed, people, errands, strikes, stepsClocks, store };
}

/** Seeds in a row go through all faults; some bring others along. */
function drawFaults(seed: number, store: StoreKind, random: Random): readonly FaultName[] {
  const possible = FAULT_NAMES.filter((name) => isPossible(name, store));
  const main = possible[seed % possible.length];
  if (main === undefined) throw new Error("there are no faults");
  if (isAlone(main) || !random.chance(TOGETHER_SHARE)) return [main];
  const others = possible.filter((name) => name !== main && !isAlone(name));
  return [main, ...random.shuffle(others).slice(0, random.whole(1, MOST_TOGETHER))];
}

const faultOf = (name: FaultName): Fault => FAULTS[name];
const isAlone = (name: FaultName): boolean => faultOf(name).alone === true;

function planStrikes(faults: readonly FaultName[], random: Random): readonly Strike[] {
  return faults
    .map((fault) => ({ fault, atMs: random.whole(FIRST_STRIKE_MS, LAST_STRIKE_MS) }))
    .toSorted((one, other) => one.atMs - other.atMs);
}

/** The plan in words, the same for the same seed. */
export function describePlan({ seed, people, errands, strikes }: RunPlan): string {
  const what = strikes.map(({ fault, atMs }) => `${fault} at ${(atMs / 1_000).toFixed(1)} s`);
  return (
    `seed ${seed}: at most ${errands.length} notifications to ${people.length} people; ` +
    (what.length === 0 ? "no fault" : what.join(", "))
  );
}
