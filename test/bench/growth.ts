/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runGrowth(_context: BenchContext): Promise<ScenarioResult> {
  return {
    tables: [],
    figures: {},
    measured: {},
    sound: true,
    notes: ["growth: not measured yet"],
  };
}
