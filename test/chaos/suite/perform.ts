/** One run from its plan to its result: starts everything, breaks something, and takes the account. */
import { setTimeout as delay } from "node:timers/promises";
import type { Evidence } from "./evidence.ts";
import type { Restored, Scene } from "./faults/fault.ts";
import { FAULTS } from "./faults/faults.ts";
import { openHouse, type House } from "./house.ts";
import { driveLoad } from "./load/driver.ts";
import { judge, untried } from "./oracle/judge.ts";
import type { RunPlan, Strike } from "./plan.ts";
import { untilQuiet } from "./quiet.ts";
import { createRandom } from "../../support/random.ts";
import { wander } from "./audience/wander.ts";
import { measureRecovery, type Struck } from "./report/recovery.ts";
import type { RunResult } from "./report/result.ts";
import type { Stand } from "./stand.ts";
import type { TimesName } from "./times.ts";

export interface PerformOptions {
  readonly stand: Stand;
  readonly times: TimesName;
  /** Where the product is started; undefined: here. */
  readonly root?: string | undefined;
  /** Where the second process of each role is started: another revision, side by side with this one. */
  readonly besideRoot?: string | undefined;
}

/** After the last fault was lifted: messages that show the recovery. */
const TAIL_MS = 6_000;
/** What is asked before Redis was taken back is mostly excused: so longer, for what no one excuses. */
const RESTORED_TAIL_MS = 18_000;
const LEAST_LOAD_MS = 15_000;
/** Without any progress; longer than every lease, retry and reconnect of that kind. */
const STALL_MS: Readonly<Record<TimesName, number>> = { short: 60_000, own: 150_000 };
/** Callers ask again after 2 s at most. */
const ACCEPT_STALL_MS = 120_000;
/** Among so many there is something of each kind; a run of fewer need not have all. */
const ENOUGH_TO_TELL = 200;

/** @throws Error only where the suite itself fails; what the product does wrong is in the result */
export async function performRun(
  plan: RunPlan,
  { stand, times, root, besideRoot }: PerformOptions,
): Promise<RunResult> {
  const startedAt = performance.now();
  const house = await openHouse({ plan, stand, times, root, besideRoot });
  const troubles: string[] = [];
  try {
    const { struck, restored } = await disturb(plan, house, troubles);
    troubles.push(...(await untilQuiet(() => house.remainder(), STALL_MS[times])));
    const evidence: Evidence = {
      ...(await house.evidence()),
      survivedUntil: restored?.survivedUntil,
      restoredAt: restored?.restoredAt,
      redisClockStepped: plan.strikes.some(({ fault }) => fault === "clock-step-redis"),
    };
    await house.stop();
    const refused = new Set(house.providers.refusals());
    troubles.push(...house.refusals, ...house.cast.faults);
    troubles.push(...[...refused].map((why) => `a provider refused what it was sent: ${why}`));
    const findings = judge(evidence);
    if (evidence.asked.length >= ENOUGH_TO_TELL) {
      troubles.push(...untried(findings).map((promise) => `nothing was held to: ${promise}`));
    }
    return {
      seed: plan.seed,
      times,
      store: plan.store,
      faults: plan.strikes.map(({ fault }) => fault),
      asked: evidence.asked.length,
      promises: findings.map((finding) => ({
        ...finding,
        violations: [...finding.violations],
      })),
      troubles,
      recoveries: measureRecovery(struck, evidence),
      durationMs: performance.now() - startedAt,
    };
  } catch (error) {
    throw new Error(
      `seed ${plan.seed} could not be run; the processes said:\n${house.cast.logs()}`,
      {
        cause: error,
      },
    );
  } finally {
    await house.abandon();
  }
}

/** The load, with the faults in the midst of it. */
async function disturb(plan: RunPlan, house: House, troubles: string[]) {
  const struck: Struck[] = [];
  let restored: Restored | undefined;
  const scene: Scene = {
    ...house,
    random: createRandom(plan.seed).fork("scene"),
    now: Date.now,
    wasRestored(told) {
      // Of two losses all that lies between is taken for lost: rather too much than a false word.
      const { survivedUntil, restoredAt } = told;
      restored = {
        survivedUntil: Math.min(survivedUntil, restored?.survivedUntil ?? survivedUntil),
        restoredAt: Math.max(restoredAt, restored?.restoredAt ?? restoredAt),
      };
    },
  };
  const load = driveLoad(plan.errands, house.ways);
  const wandering = wander(plan, house.audience);
  const strike = async ({ fault, atMs }: Strike): Promise<void> => {
    await delay(atMs);
    const struckAt = Date.now();
    const { liftedAt } = await FAULTS[fault].strike(scene);
    struck.push({ fault, path: FAULTS[fault].path, struckAt, liftedAt });
  };
  await Promise.all([delay(LEAST_LOAD_MS), ...plan.strikes.map(strike)]);
  await delay(restored === undefined ? TAIL_MS : RESTORED_TAIL_MS);
  load.stop();
  wandering.stop();
  const untaken = (): Promise<string[]> => {
    const count = load.underWay();
    return Promise.resolve(count === 0 ? [] : [`${count} requests and events to be taken`]);
  };
  // By what moves and not by the clock: a machine that does ten other things takes long, and gets there.
  const taken = load.done.then((): readonly string[] => []);
  troubles.push(...(await Promise.race([taken, untilQuiet(untaken, ACCEPT_STALL_MS)])));
  return { struck, restored };
}
