/** Not measured yet. */
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

export async function runKafka(_context: BenchContext): Promise<ScenarioResult> {
  return { tables: [], figures: {}, measured: {}, sound: true, notes: ["kafka: not measured yet"] };
}
