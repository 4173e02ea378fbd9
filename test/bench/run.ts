/** `npm run bench`: the product beside what it stands on, scenario by scenario, and one summary. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger } from "../../src/platform/logger.ts";
import { createResources, type Resources } from "../../src/platform/resources.ts";
import { runMeasuring, say } from "../support/measuring-command.ts";
import { BENCH_USAGE, parseBenchArguments, type BenchOptions } from "./arguments.ts";
import { startBenchRedis } from "./bench-redis.ts";
import { startChildServer } from "./child-server.ts";
import { cores } from "./machine.ts";
import { startProduct } from "./product.ts";
import { SCENARIOS, type BenchContext, type Scenario, type ScenarioResult } from "./scenarios.ts";
import { summaryTable } from "./summary.ts";
import { tableLines } from "./table.ts";

const EXIT_UNSOUND = 1;
const STOP_DEADLINE_MS = 30_000;

type Results = Partial<Record<string, ScenarioResult>>;

async function run(options: BenchOptions, resources: Resources): Promise<number> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-bench-"));
  resources.add("data folder", () => rm(dataDir, { recursive: true, force: true }));
  const results: Results = {};
  for (const scenario of SCENARIOS) {
    if (!options.scenarios.includes(scenario.name)) continue;
    say(`\n== ${scenario.title}`);
    const result = await runOne(scenario, options, dataDir, resources);
    results[scenario.name] = result;
    show(result);
    // After each: what has been measured is kept however the next one ends.
    await writeFigures(options, results);
  }
  const all = Object.values(results).flatMap((result) => result ?? []);
  say(`\n${tableLines(summaryTable(all.map(({ measured }) => measured))).join("\n")}`);
  say(`\nfigures written to ${options.json}`);
  return all.every(({ sound }) => sound) ? 0 : EXIT_UNSOUND;
}

/** Alone on the machine: whatever a scenario starts has ended before the next one begins. */
async function runOne(
  scenario: Scenario,
  options: BenchOptions,
  parentDir: string,
  parent: Resources,
): Promise<ScenarioResult> {
  const dataDir = path.join(parentDir, scenario.name);
  await mkdir(dataDir);
  const resources = createResources();
  const close = () => resources.close(STOP_DEADLINE_MS);
  parent.add(scenario.name, close);
  const profile = options.profile && path.join(options.profile, scenario.name);
  const shared = { resources, dataDir, logger: createLogger({ level: "warn" }), announce: say };
  try {
    return await measure({
      options,
      ...shared,
      startRedis: (name) => startBenchRedis({ ...shared, name }),
      startProduct: (product) => startProduct({ ...shared, ...product, profile }),
      startServer: (server) => startChildServer({ ...server, resources }),
    });
  } finally {
    await close();
    await rm(dataDir, { recursive: true, force: true });
  }

  /** What cannot be measured at all is no reason to leave out the scenarios behind it. */
  async function measure(context: BenchContext): Promise<ScenarioResult> {
    try {
      return await scenario.run(context);
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const notes = [`${scenario.name} could not be measured: ${reason}`];
      return { tables: [], figures: undefined, measured: {}, sound: false, notes };
    }
  }
}

function show({ tables, notes }: ScenarioResult): void {
  for (const table of tables) say(`\n${tableLines(table).join("\n")}`);
  if (notes.length > 0) say(`\n${notes.join("\n")}`);
}

async function writeFigures(options: BenchOptions, scenarios: Results): Promise<void> {
  const at = new Date().toISOString();
  const figures = { at, node: process.version, cores, options, scenarios };
  await mkdir(path.dirname(path.resolve(options.json)), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
}

process.exitCode = await runMeasuring(
  "npm run bench",
  parseBenchArguments(process.argv.slice(2)),
  BENCH_USAGE,
  run,
);
