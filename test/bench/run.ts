/** `npm run bench`: how long notifications take to open sockets, and whether all arrive. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";
import { runMeasuring, say } from "../support/measuring-command.ts";
import { BENCH_USAGE, parseBenchArguments, type BenchOptions } from "./arguments.ts";
import { isSound } from "./judgement.ts";
import { kafkaReportOf } from "./kafka-report.ts";
import { isGoodKafkaCourse, measureKafka } from "./kafka-run.ts";
import { cores } from "./machine.ts";
import { reportOf } from "./report.ts";
import { runCourse, type Course } from "./scenario.ts";
import { startBaseline, startProduct } from "./targets.ts";

const EXIT_UNSOUND = 1;

async function run(options: BenchOptions, resources: Resources): Promise<number> {
  const tools = await openTools(resources);
  if (options.scenario === "kafka") {
    const courses = await measureKafka(options, tools);
    await writeFigures(options, courses);
    say(`\n${kafkaReportOf(courses)}`);
    return courses.every(isGoodKafkaCourse) ? 0 : EXIT_UNSOUND;
  }
  const courses = await measure(options, tools);
  await writeFigures(options, courses);
  say(`\n${reportOf(courses)}`);
  return courses.every(isGood) ? 0 : EXIT_UNSOUND;
}

async function openTools(resources: Resources) {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-bench-"));
  resources.add("data folder", () => rm(dataDir, { recursive: true, force: true }));
  return { resources, logger: createLogger({ level: "warn" }), dataDir, announce: say };
}

/** One target after the other, each alone on the machine. */
async function measure(
  options: BenchOptions,
  shared: Awaited<ReturnType<typeof openTools>>,
): Promise<Course[]> {
  const { sockets, profile } = options;
  const courses: Course[] = [];
  for (const start of [startBaseline, startProduct]) {
    const target = await start({ ...shared, sockets, profile });
    courses.push(await runCourse(target, options, shared));
    await target.stop();
  }
  return courses;
}

/** Nothing lost, doubled or out of order, and the product's own books agree. */
function isGood({ judgement, counted }: Course): boolean {
  return isSound(judgement) && (counted === undefined || counted === judgement.arrived);
}

async function writeFigures(options: BenchOptions, courses: readonly object[]): Promise<void> {
  const figures = { at: new Date().toISOString(), node: process.version, cores, options, courses };
  await mkdir(path.dirname(path.resolve(options.json)), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  say(`figures written to ${options.json}`);
}

process.exitCode = await runMeasuring(parseBenchArguments(process.argv.slice(2)), BENCH_USAGE, run);
