/** `npm run trace`: replays recorded events and shows what became of each. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findFreePort, startLocalBroker } from "../../src/platform/kafka/local-broker.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import type { Resources } from "../../src/platform/resources.ts";
import { runMeasuring, say } from "../support/measuring-command.ts";
import { isAsExpected } from "./account.ts";
import { parseTraceArguments, TRACE_USAGE, type TraceOptions } from "./arguments.ts";
import { FAULTS, type FaultTools } from "./faults.ts";
import { halvesOf } from "./halves.ts";
import { startRedisServer } from "./redis-server.ts";
import { replay, type Replayed } from "./replay.ts";
import { differences, reachOf, tableOf } from "./table.ts";
import { makeTerm } from "./term.ts";
import { happenedAt, shiftTo } from "./time-shift.ts";
import { readTrace, type TraceRecord } from "./trace-record.ts";

const EXIT_UNSOUND = 1;
const REDIS_AWAY_MS = 20_000;
/** The product's own default. */
const SHARDS = 16;
const TOLD_AT_MOST = 20;
const DAY_MS = 86_400_000;
const WHOLE_TRACE_MS = 30 * DAY_MS;
/** Longer than a replay. */
const CLEARANCE_MS = 60_000;
const TERM_SEED = 20_260_901;

async function run(options: TraceOptions, resources: Resources): Promise<number> {
  const isWhole = options.files.length === 0 && options.maxAgeSeconds === undefined;
  return report(await replayWith(options, resources), isWhole);
}

async function replayWith(options: TraceOptions, resources: Resources): Promise<Replayed> {
  const { files, fault, readers } = options;
  const broker = await startBroker(resources);
  const redis = await startRedisServer(say);
  resources.add("redis", () => redis.close());
  const name = `trace-${randomUUID().slice(0, 8)}`;
  const whileRedisIsAway = () => delay(REDIS_AWAY_MS);
  const tools: FaultTools = { redis, broker, whileRedisIsAway, announce: say };
  const disturbance = fault === undefined ? undefined : FAULTS[fault];
  const phases = await phasesOf(files);
  return await replay({
    phases,
    servers: broker?.servers ?? process.env["KAFKA_BOOTSTRAP_SERVERS"] ?? "",
    redisUrl: redis.url,
    topicPrefix: `${name}.`,
    keyspace: createKeyspace({ shards: SHARDS, prefix: `${name}:` }),
    maxAgeMs: maxAgeFor(phases.flat(), options),
    processes: { ingest: readers, projector: readers },
    ...(disturbance === undefined ? {} : { disturb: (scene) => disturbance(scene, tools) }),
    inOrder: fault !== "redis-stop",
    announce: say,
  });
}

async function phasesOf(files: readonly string[]): Promise<readonly (readonly TraceRecord[])[]> {
  const now = Date.now();
  if (files.length === 0) return makeTerm({ seed: TERM_SEED, teachers: 40, nowMs: now });
  return halvesOf(shiftTo(await readTrace(files), now));
}

/** Where events lie near the limit, it moves: what they are must not depend on how long this takes. */
function maxAgeFor(records: readonly TraceRecord[], options: TraceOptions): number {
  const { maxAgeSeconds, files } = options;
  if (maxAgeSeconds === undefined) return files.length === 0 ? DAY_MS : WHOLE_TRACE_MS;
  const now = Date.now();
  const ages = records.map((record) => now - (happenedAt(record) ?? now));
  let maxAgeMs = maxAgeSeconds * 1_000;
  while (ages.some((age) => Math.abs(maxAgeMs - age) < CLEARANCE_MS)) maxAgeMs += CLEARANCE_MS;
  say(`events older than ${maxAgeMs / 1_000} s are skipped`);
  return maxAgeMs;
}

async function startBroker(resources: Resources) {
  if (process.env["KAFKA_BOOTSTRAP_SERVERS"] !== undefined) return undefined;
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-trace-"));
  resources.add("broker's data", () => rm(dataDir, { recursive: true, force: true }));
  const port = await findFreePort();
  const launch = () => startLocalBroker({ dataDir, port, announce: say });
  let broker = await launch();
  resources.add("broker", () => broker.stop());
  return {
    servers: broker.servers,
    stop: () => broker.stop(),
    async start() {
      broker = await launch();
    },
  };
}

/** @param isWhole whether each type has to be among what is shown */
function report({ lines, faults, seconds }: Replayed, isWhole: boolean): number {
  say(`\n${tableOf(lines)}\n`);
  const reach = reachOf(lines, isWhole);
  say(reach.sentence);
  const wrong = lines.filter((line) => !isAsExpected(line)).length;
  const verdict = wrong === 0 ? "every count is that of the files" : `${wrong} records differ`;
  say(`${lines.length} records in ${seconds.toFixed(1)} s; ${verdict}.`);
  for (const sentence of [...differences(lines, TOLD_AT_MOST), ...faults.slice(0, TOLD_AT_MOST)]) {
    say(`  ${sentence}`);
  }
  if (faults.length > TOLD_AT_MOST) say(`  and ${faults.length - TOLD_AT_MOST} more faults`);
  return wrong + faults.length + reach.missing.length === 0 ? 0 : EXIT_UNSOUND;
}

process.exitCode = await runMeasuring(
  "npm run trace",
  parseTraceArguments(process.argv.slice(2)),
  TRACE_USAGE,
  run,
);
