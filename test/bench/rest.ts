/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runRest(_context: BenchContext): Promise<ScenarioResult> {
  return { tables: [], figures: {}, measured: {}, sound: true, notes: ["rest: not measured yet"] };
}
