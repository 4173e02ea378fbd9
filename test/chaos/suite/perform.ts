/** One run from its plan to its result: starts everything, breaks something, and takes the account. */
import { setTimeout as delay } from "node:timers/promises";
import type { Evidence } from "./evidence.ts";
import type { Restored, Scene } from "./faults/fault.ts";
import { FAULTS } from "./faults/faults.ts";
import { openHouse, type House } from "./house.ts";
import { driveLoad } from "./load/driver.ts";
import { judge } from "./oracle/judge.ts";
import type { RunPlan, Strike } from "./plan.ts";
import { untilQuiet } from "./quiet.ts";
import { createRandom } from "../../support/random.ts";
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
const LEAST_LOAD_MS = 15_000;
/** Without any progress; longer than every lease, retry and reconnect of that kind. */
const STALL_MS: Readonly<Record<TimesName, number>> = { short: 60_000, own: 150_000 };
const ACCEPT_DEADLINE_MS = 120_000;

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
    };
    await house.stop();
    troubles.push(...house.refusals, ...house.cast.faults);
    return {
      seed: plan.seed,
      times,
      store: plan.store,
      faults: plan.strikes.map(({ fault }) => fault),
      asked: evidence.asked.length,
      promises: judge(evidence).map((finding) => ({
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
      restored = told;
    },
  };
  const load = driveLoad(plan.errands, house.ways);
  const strike = async ({ fault, atMs }: Strike): Promise<void> => {
    await delay(atMs);
    const struckAt = Date.now();
    const { liftedAt } = await FAULTS[fault].strike(scene);
    struck.push({ fault, path: FAULTS[fault].path, struckAt, liftedAt });
  };
  await Promise.all([delay(LEAST_LOAD_MS), ...plan.strikes.map(strike)]);
  await delay(TAIL_MS);
  load.stop();
  const late = delay(ACCEPT_DEADLINE_MS, "late", { ref: false });
  if ((await Promise.race([load.done, late])) === "late") {
    troubles.push(`${load.underWay()} requests and events were never taken`);
  }
  return { struck, restored };
}
