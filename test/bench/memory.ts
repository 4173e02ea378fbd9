/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runMemory(_context: BenchContext): Promise<ScenarioResult> {
  return {
    tables: [],
    figures: {},
    measured: {},
    sound: true,
    notes: ["memory: not measured yet"],
  };
}
