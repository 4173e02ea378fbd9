/** `npm run chaos`: breaks the product on purpose, run after run, and tells whether it kept its word. */
import { tableLines, type Table } from "../../bench/table.ts";
import { runMeasuring, say } from "../../support/measuring-command.ts";
import { prepareRevision } from "../../support/revision.ts";
import type { Resources } from "../../../src/platform/resources.ts";
import { CHAOS_USAGE, parseChaosArguments, type ChaosOptions } from "./arguments.ts";
import { openStand, type Stand } from "./stand.ts";
import { describePlan, planRun } from "./plan.ts";
import { performRun } from "./perform.ts";
import { isCaught, prepareSabotage, SABOTAGES } from "./sabotage.ts";
import { addResult, isSound, openResults, readResults, type RunResult } from "./report/result.ts";
import { markdownOf, promiseTable, recoveryTable, runLines } from "./report/summary.ts";

const EXIT_BROKEN = 1;

async function run(options: ChaosOptions, resources: Resources): Promise<number> {
  const { file } = options;
  if (options.tableOnly) {
    return summarize(file === undefined ? [] : await readResults(file), markdownOf);
  }
  if (file !== undefined) await openResults(file);
  const { beside } = options;
  const besideRoot = beside === undefined ? undefined : await prepareRevision(beside);
  if (beside !== undefined) say(`the second process of each role runs ${beside}`);
  const stand = await openStand(say);
  resources.add("stand", () => stand.close());
  if (options.sabotages.length > 0) return await runSabotaged(options, stand);
  const results: RunResult[] = [];
  for (const seed of options.seeds) {
    const plan = planRun({ ...options, seed });
    say(describePlan(plan));
    const result = await performRun(plan, { ...options, stand, besideRoot });
    for (const line of runLines(result)) say(line);
    results.push(result);
    if (file !== undefined) await addResult(file, result);
  }
  return summarize(results, tableLines);
}

/** Each break of the product under the faults that show it. */
async function runSabotaged(options: ChaosOptions, stand: Stand): Promise<number> {
  const [seed = 1] = options.seeds;
  let missed = 0;
  for (const name of options.sabotages) {
    const { what, faults } = SABOTAGES[name];
    const plan = planRun({ ...options, seed, faults: options.faults ?? faults });
    say(`${name}: ${describePlan(plan)}`);
    const product = await prepareSabotage(name);
    try {
      const result = await performRun(plan, { ...options, stand, root: product.root });
      const caught = isCaught(SABOTAGES[name], result);
      if (!caught) missed += 1;
      say(`${caught ? "found out" : "MISSED"}: ${what}`);
      for (const line of runLines(result)) say(`  ${line}`);
    } finally {
      await product.remove();
    }
  }
  return missed === 0 ? 0 : EXIT_BROKEN;
}

function summarize(
  results: readonly RunResult[],
  linesOf: (table: Table) => readonly string[],
): number {
  const broken = results.filter((result) => !isSound(result));
  const runs = results.length === 1 ? "1 run" : `${results.length} runs`;
  say("");
  const recovery = recoveryTable(results);
  // Faults that overlap, and a run without any, leave nothing to measure.
  for (const table of [promiseTable(results), ...(recovery.rows.length === 0 ? [] : [recovery])]) {
    for (const line of [...linesOf(table), ""]) say(line);
  }
  say(
    broken.length === 0
      ? `${runs}, every promise kept`
      : `${runs}, ${broken.length} broken: seeds ${broken.map(({ seed }) => seed).join(", ")}`,
  );
  return broken.length === 0 ? 0 : EXIT_BROKEN;
}

const exitCode = await runMeasuring(
  "npm run chaos",
  parseChaosArguments(process.argv.slice(2)),
  CHAOS_USAGE,
  run,
);
// Connections to what was broken may never notice; nothing waits for them.
process.exit(exitCode);
