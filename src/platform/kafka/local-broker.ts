/** A Kafka broker of our own for development and tests: fetched, started, stopped with us. */
import type { ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { ConfigError } from "../config.ts";
import { inDataDir } from "../data-dir.ts";
import { takeDataDir } from "../embedded-redis-lock.ts";
import { stopIdleTimers } from "./idle-timers.ts";
import { endBroker, hasEnded, killBroker, launchBroker, readLog } from "./local-broker-process.ts";
import { provisionBroker, type BrokerProvisionOptions } from "./local-broker-provision.ts";

/** A busy machine starts it in a few seconds; reading a large data folder takes longer. */
const START_DEADLINE_MS = 90_000;
const POLL_MS = 50;
const GIVEN_UP = "Exiting Kafka due to fatal exception";
const LOG_TAIL_LINES = 3;
const FIRST_PORT = 20_000;
/** Below the ports that systems give to outgoing connections, so that none of them takes ours. */
const LAST_PORT = 32_000;
const PORT_TRIES = 50;

export interface LocalBrokerOptions extends BrokerProvisionOptions {
  /** The broker's files; a folder used before brings its topics back. */
  readonly dataDir: string;
  /** On 127.0.0.1. */
  readonly port: number;
}

export interface LocalBroker {
  /** For `KAFKA_BOOTSTRAP_SERVERS`. */
  readonly servers: string;
  /** Resolves when the broker has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Stops it in good order. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL, as by a crash. Resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Resolves once the broker answers.
 * @throws ConfigError if Kafka cannot be had, or if the port or the folder is in use
 */
export async function startLocalBroker(options: LocalBrokerOptions): Promise<LocalBroker> {
  const { port } = options;
  const dir = path.resolve(options.dataDir);
  const program = await provisionBroker(options);
  if (!(await isFree(port))) {
    throw new ConfigError(`Port ${port} is taken: stop what uses it, or choose another port.`);
  }
  // Two brokers in one folder would end each other.
  const lock = await inDataDir(options.dataDir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return await takeDataDir(dir, options.announce);
  });
  let child: ChildProcess;
  try {
    const controllerPort = await findFreePort();
    child = await launchBroker(program, { dir, port, controllerPort });
  } catch (error) {
    await lock.release();
    throw error;
  }
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  }).then(() => lock.release());
  try {
    await untilAnswering(child, port, dir);
  } catch (error) {
    killBroker(child);
    await ended;
    throw error;
  }
  return {
    servers: `127.0.0.1:${port}`,
    ended,
    async stop() {
      await endBroker(child);
      await ended;
    },
    async kill() {
      killBroker(child);
      await ended;
      // The guard is gone at once; the server is when the system has closed what it had open.
      while (!(await isFree(port))) await delay(POLL_MS);
    },
  };
}

/** @returns a port of 127.0.0.1 that nobody listens on, and that no outgoing connection is given. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_TRIES; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST_PORT} and ${LAST_PORT}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function untilAnswering(child: ChildProcess, port: number, dir: string): Promise<void> {
  const endsAt = performance.now() + START_DEADLINE_MS;
  while (!(await isAnswering(`127.0.0.1:${port}`))) {
    const log = await readLog(dir);
    // After a fault the process may hang instead of ending.
    if (hasEnded(child) || log.includes(GIVEN_UP)) throw startError(log, "it ended");
    if (performance.now() > endsAt) {
      throw startError(log, `it did not answer within ${START_DEADLINE_MS} ms`);
    }
    await delay(POLL_MS);
  }
}

function startError(log: string, what: string): Error {
  const lines = log.split("\n").filter((line) => line !== "" && !/^\s+at /.test(line));
  const tail = lines.slice(-LOG_TAIL_LINES).join("\n  ");
  return new Error(`Kafka did not start (${what}). The end of its log:\n  ${tail}`);
}

/** Whether a broker at this address tells about its cluster. */
export async function isAnswering(server: string): Promise<boolean> {
  stopIdleTimers();
  const admin = new Kafka({
    brokers: [server],
    clientId: "schoolbell-start",
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
