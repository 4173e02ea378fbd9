/** `npm run bench`: how long notifications take to open sockets, and whether all arrive. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger } from "../../src/platform/logger.ts";
import { createResources, type Resources } from "../../src/platform/resources.ts";
import { BENCH_USAGE, parseBenchArguments, type BenchOptions } from "./arguments.ts";
import { isSound } from "./judgement.ts";
import { kafkaReportOf } from "./kafka-report.ts";
import { isGoodKafkaCourse, measureKafka } from "./kafka-run.ts";
import { cores } from "./machine.ts";
import { reportOf } from "./report.ts";
import { runCourse, type Course } from "./scenario.ts";
import { startBaseline, startProduct } from "./targets.ts";

const EXIT_UNSOUND = 1;
const EXIT_WRONG_USE = 2;
const EXIT_INTERRUPTED = 130;
const STOP_DEADLINE_MS = 30_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(args: readonly string[]): Promise<number> {
  const parsed = parseBenchArguments(args);
  if (parsed.kind === "help") {
    say(BENCH_USAGE);
    return 0;
  }
  if (parsed.kind === "wrong") {
    process.stderr.write(`${parsed.message}\n\n${BENCH_USAGE}`);
    return EXIT_WRONG_USE;
  }
  const resources = createResources();
  stopOnSignals(resources);
  try {
    const tools = await openTools(resources);
    if (parsed.options.scenario === "kafka") {
      const courses = await measureKafka(parsed.options, tools);
      await writeFigures(parsed.options, courses);
      say(`\n${kafkaReportOf(courses)}`);
      return courses.every(isGoodKafkaCourse) ? 0 : EXIT_UNSOUND;
    }
    const courses = await measure(parsed.options, tools);
    await writeFigures(parsed.options, courses);
    say(`\n${reportOf(courses)}`);
    return courses.every(isGood) ? 0 : EXIT_UNSOUND;
  } finally {
    await resources.close(STOP_DEADLINE_MS);
  }
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

function stopOnSignals(resources: Resources): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      say("stopping");
      void resources.close(STOP_DEADLINE_MS).then(() => process.exit(EXIT_INTERRUPTED));
    });
  }
}

process.exitCode = await run(process.argv.slice(2));
