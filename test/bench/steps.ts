/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runSteps(_context: BenchContext): Promise<ScenarioResult> {
  return { tables: [], figures: {}, measured: {}, sound: true, notes: ["steps: not measured yet"] };
}
