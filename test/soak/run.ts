/** `npm run soak`: a steady load for long, and whether the memory of any process or of Redis grows. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Resources } from "../../src/platform/resources.ts";
import { tableLines } from "../bench/table.ts";
import { runMeasuring, say } from "../support/measuring-command.ts";
import { parseSoakArguments, SOAK_USAGE, type SoakOptions } from "./arguments.ts";
import { invitePeople } from "./away-people.ts";
import { createRandom } from "../support/random.ts";
import { isFlat, linesTable, processLines, redisLines, unitTable } from "./report.ts";
import { startRequests } from "./requests.ts";
import { sample, type Samples } from "./sampler.ts";
import { openScene, type SoakScene } from "./scene.ts";
import { admitVisitors } from "./visitors.ts";

const MINUTE_MS = 60_000;
const SECONDS_PER_MINUTE = 60;
const EXIT_UNSOUND = 1;
/** What fills up at first has done so in the first half of them. */
const LEAST_MINUTES = 30;
/** Of the load, where there is a broker. */
const EVENT_SHARE = 1 / 6;
/** So that a user has more than one socket now and then, and often none. */
const USERS_PER_SOCKET = 1.2;
const SAID_EVERY = 30;

/** Of the whole run. */
interface Totals {
  /** Notifications that are unsettled although there was time. */
  readonly left: number;
  /** Answers by status, closes by code. */
  readonly answers: Readonly<Record<string, number>>;
  readonly closes: Readonly<Record<string, number>>;
}

async function run(options: SoakOptions, resources: Resources): Promise<number> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-soak-"));
  resources.add("data folder", () => rm(dataDir, { recursive: true, force: true }));
  const users = Array.from(
    { length: Math.ceil(options.sockets * USERS_PER_SOCKET) },
    (_, at) => `teacher-${at + 1}`,
  );
  const random = createRandom(options.seed);
  const scene = await openScene(options, users, dataDir, resources);
  const away = await invitePeople(scene, random);
  const visitors = admitVisitors({ scene, users, sockets: options.sockets, random });
  const rate = options.rate * (scene.events === undefined ? 1 : 1 - EVENT_SHARE);
  const requests = await startRequests({ scene, users, away, rate, random });
  const seconds = options.minutes * SECONDS_PER_MINUTE;
  const events = scene.events?.drip({ rate: options.rate * EVENT_SHARE, seconds });
  const load = () => ({
    accepted: requests.counts.accepted,
    failed: requests.counts.failed,
    sockets: visitors.counts.open,
    opened: visitors.counts.opened,
    messages: visitors.counts.messages,
    pushes: scene.push.received.length,
    texts: scene.twilio.received.length,
  });
  const length = options.minutes === 1 ? "1 minute" : `${options.minutes} minutes`;
  say(`${length} at ${options.rate}/s with ${options.sockets} sockets`);
  const samples = await sample({
    scene,
    durationMs: options.minutes * MINUTE_MS,
    collect: options.collect,
    load,
    onSample: async (taken) => {
      await keep(options, taken);
      progress(taken);
      snapshotAt(options, scene, taken);
    },
  });
  await requests.stop();
  await events;
  await visitors.close();
  const left = await scene.settle();
  return report(options, samples, {
    left,
    ...load(),
    answers: requests.counts.answers,
    closes: visitors.counts.closes,
  });
}

async function keep(options: SoakOptions, samples: Samples): Promise<void> {
  await mkdir(path.dirname(path.resolve(options.json)), { recursive: true });
  await writeFile(options.json, JSON.stringify({ options, ...samples }));
}

function progress({ outside }: Samples): void {
  const latest = outside.at(-1);
  if (latest === undefined || outside.length % SAID_EVERY !== 0) return;
  const rss = Object.entries(latest.processes)
    .map(([role, { rssBytes }]) => `${role} ${Math.round(rssBytes / 1_048_576)}`)
    .join(", ");
  say(
    `${Math.round(latest.atMs / MINUTE_MS)} min: RSS in MB ${rss}; ${JSON.stringify(latest.load)}`,
  );
}

/** A third of the way, when what fills up is full, and at the end. */
function snapshotAt(options: SoakOptions, scene: SoakScene, { outside }: Samples): void {
  if (options.snapshots === undefined) return;
  const of = (part: number): number => Math.round(options.minutes * 6 * part);
  if (![of(1 / 3), of(1)].includes(outside.length)) return;
  for (const { pid } of scene.processes) process.kill(pid, "SIGWINCH");
}

function report({ minutes }: SoakOptions, samples: Samples, totals: Totals): number {
  const processes = processLines(samples);
  const redis = redisLines(samples);
  const tables = [
    linesTable("Processes, over the second half:", processes),
    linesTable("Redis, over the second half:", redis),
    unitTable(samples),
  ];
  for (const table of tables) say(`\n${tableLines(table).join("\n")}`);
  say(`\nThe whole run: ${JSON.stringify(totals)}\n`);
  const flat = isFlat([...processes, ...redis]);
  say(flat ? "nothing grows" : "something grows");
  if (minutes < LEAST_MINUTES) {
    say(`but less than ${LEAST_MINUTES} minutes tell little: much fills up at first`);
  }
  if (totals.left > 0) say(`${totals.left} notifications did not come to their end`);
  return flat && totals.left === 0 ? 0 : EXIT_UNSOUND;
}

process.exitCode = await runMeasuring(
  "npm run soak",
  parseSoakArguments(process.argv.slice(2)),
  SOAK_USAGE,
  run,
);
