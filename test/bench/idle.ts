/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runIdle(_context: BenchContext): Promise<ScenarioResult> {
  return { tables: [], figures: {}, measured: {}, sound: true, notes: ["idle: not measured yet"] };
}
