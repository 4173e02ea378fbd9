/** The broker's process: its settings, how it is started, how it ends, also when we are killed. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BrokerProgram } from "./local-broker-provision.ts";

const run = promisify(execFile);

const STOP_DEADLINE_MS = 10_000;
const LOG_FILE = "broker.log";
const LOG_SETTINGS_FILE = fileURLToPath(
  new URL("../../../deploy/kafka/log4j2.properties", import.meta.url),
);

/** For one developer's machine: little memory, and quick to start rather than quick at its peak. */
const JAVA_OPTIONS = [
  "-Xms64m",
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:-UsePerfData",
  `-Dlog4j2.configurationFile=${LOG_SETTINGS_FILE}`,
];

/**
 * Runs the server beside a reader of our pipe. The pipe closes when this process ends it or dies,
 * even by SIGKILL, and then the server is told to stop.
 */
const GUARD_SCRIPT = `
  exec 3<&0
  "$@" </dev/null 3<&- &
  server=$!
  { cat >/dev/null; kill -TERM "$server" 2>/dev/null; } <&3 &
  guard=$!
  wait "$server"
  code=$?
  kill "$guard" 2>/dev/null
  exit "$code"
`;

export interface BrokerPlace {
  /** Everything the broker writes is below it. */
  readonly dir: string;
  readonly port: number;
  readonly controllerPort: number;
}

/** Starts the server; it does not answer yet. */
export async function launchBroker(
  program: BrokerProgram,
  place: BrokerPlace,
): Promise<ChildProcess> {
  const { dir } = place;
  const settingsFile = path.join(dir, "server.properties");
  await writeFile(settingsFile, renderSettings(place));
  const java = [...JAVA_OPTIONS, "-cp", program.classPath];
  if (!existsSync(path.join(logDirOf(dir), "meta.properties"))) {
    const clusterId = randomBytes(16).toString("base64url");
    await run(program.java, [
      ...java,
      "kafka.tools.StorageTool",
      "format",
      // In one word, since one id in 64 begins with a hyphen and would be taken for an option.
      `--cluster-id=${clusterId}`,
      "--config",
      settingsFile,
    ]);
  }
  // Truncated at each start, so that it cannot grow without bound over a developer's year.
  const log = openSync(path.join(dir, LOG_FILE), "w");
  try {
    const command = [program.java, ...java, "kafka.Kafka", settingsFile];
    // Detached: a process group of its own, so that Ctrl-C reaches us alone and we stop it in order.
    const child = spawn("/bin/sh", ["-c", GUARD_SCRIPT, "broker-guard", ...command], {
      cwd: dir,
      detached: true,
      stdio: ["pipe", log, log],
    });
    child.stdin?.on("error", () => {});
    return child;
  } finally {
    closeSync(log);
  }
}

function logDirOf(dir: string): string {
  return path.join(dir, "log");
}

/** One node that is broker and controller; every internal topic has one small replica. */
function renderSettings({ dir, port, controllerPort }: BrokerPlace): string {
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": logDirOf(dir),
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    // A group of one need not wait for others, and a dead member is noticed as soon as tests want.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    // After a kill it may come back as soon as the controller has given up the one before.
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": 2_000,
    // A topic that nobody made is a mistake that should show.
    "auto.create.topics.enable": false,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 8_388_608,
    "log.index.size.max.bytes": 1_048_576,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Whether the process has ended; what it said is in `readLog`. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** What the broker has written since it was started; empty before that. */
export async function readLog(dir: string): Promise<string> {
  return await readFile(path.join(dir, LOG_FILE), "utf8").catch(() => "");
}

/** Closes the pipe, upon which the broker writes everything out and ends. */
export async function endBroker(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.stdin?.end();
  const kill = setTimeout(() => killBroker(child), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(kill);
}

/** SIGKILL for the guard and the server: no goodbye. */
export function killBroker(child: ChildProcess): void {
  if (child.pid === undefined || hasEnded(child)) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself just now.
  }
}
