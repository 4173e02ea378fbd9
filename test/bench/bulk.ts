/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runBulk(_context: BenchContext): Promise<ScenarioResult> {
  return { tables: [], figures: {}, measured: {}, sound: true, notes: ["bulk: not measured yet"] };
}
