/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runCritical(_context: BenchContext): Promise<ScenarioResult> {
  return {
    tables: [],
    figures: {},
    measured: {},
    sound: true,
    notes: ["critical: not measured yet"],
  };
}
