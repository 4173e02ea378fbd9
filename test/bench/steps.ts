/** Steps: what a notification takes of the processors, by process, by Redis command and by step. */
import { outcomeNotes } from "./aftermath.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { measureSteps, type StepCost } from "./steps-ledger.ts";
import { measureUnderLoad } from "./steps-load.ts";
import { stepsTables } from "./steps-report.ts";
import { openStepsScene } from "./steps-scene.ts";

const USERS = 1_000;
const BATCHES = [25, 100] as const;
const NOTIFICATIONS = 6_000;
const WARM_UP = 2_000;

export async function runSteps(context: BenchContext): Promise<ScenarioResult> {
  const { steps, outcome } = await measureUnderLoad(context);
  context.announce(`each step by itself, ${NOTIFICATIONS} notifications in batches`);
  const redis = await context.startRedis("steps-redis");
  const scene = await openStepsScene(context, redis, USERS);
  await measureSteps(scene, WARM_UP, BATCHES[0]);
  const costs: StepCost[] = [];
  for (const batch of BATCHES) costs.push(...(await measureSteps(scene, NOTIFICATIONS, batch)));
  return {
    tables: stepsTables(steps, costs),
    figures: { steps, outcome, costs },
    measured: {},
    sound: outcome.sound,
    notes: outcomeNotes("roles apart", outcome),
  };
}
