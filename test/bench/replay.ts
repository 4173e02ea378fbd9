/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runReplay(_context: BenchContext): Promise<ScenarioResult> {
  return {
    tables: [],
    figures: {},
    measured: {},
    sound: true,
    notes: ["replay: not measured yet"],
  };
}
