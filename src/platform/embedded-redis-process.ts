/** The Redis process itself: how it is started, when it is ready, how it ends. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { RedisProgram } from "./redis-provision.ts";
import { PUBSUB_BUFFER } from "./redis-settings.ts";

/** Loading a large append-only file takes a while. */
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 5_000;
const CONNECT_RETRY_MS = 25;
const LOG_TAIL_LINES = 3;

/** Starts the server; it is not ready yet. A failure shows in `untilAnswering`. */
export function launchServer(
  program: RedisProgram,
  settings: {
    dir: string;
    port: number;
    appendOnly: boolean;
    /** Further settings in the form of arguments; they win over ours. */
    directives?: readonly string[];
  },
): ChildProcess {
  const { dir, port, appendOnly, directives = [] } = settings;
  const { hardBytes, softBytes, softSeconds } = PUBSUB_BUFFER;
  // Truncated at each start, so that it cannot grow without bound over a developer's year.
  const log = openSync(path.join(dir, "redis.log"), "w");
  const args = [
    ["--bind", "127.0.0.1"],
    ["--port", String(port)],
    ["--dir", dir],
    ["--save", ""],
    ["--appendonly", appendOnly ? "yes" : "no"],
    ["--appendfsync", "everysec"],
    // Redis' own 64 MB is written within seconds under load, and each rewrite takes a core.
    ["--auto-aof-rewrite-min-size", "256mb"],
    // Most of it is sealed, and shrinks by little: a rewrite is done sooner without trying.
    ["--rdbcompression", "no"],
    ["--maxmemory-policy", "noeviction"],
    ["--client-output-buffer-limit", "pubsub", ...[hardBytes, softBytes, softSeconds].map(String)],
    directives,
  ].flat();
  try {
    // Detached: a process group of its own, so that Ctrl-C reaches us and not the server, and what
    // is in flight can be finished first.
    return spawn(program.command, args, {
      cwd: dir,
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...program.env },
    });
  } finally {
    closeSync(log);
  }
}

/** @throws Error with the end of the server's own log if it ends or does not answer in time */
export async function untilAnswering(
  child: ChildProcess,
  port: number,
  dir: string,
): Promise<void> {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    retryStrategy: () => CONNECT_RETRY_MS,
    maxRetriesPerRequest: null,
  });
  redis.on("error", () => {});
  const ended = new AbortController();
  const died = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(new Error("Redis ended while it was starting"));
    if (child.exitCode !== null) fail();
    child.once("exit", fail);
    child.once("error", reject);
  });
  const late = delay(START_DEADLINE_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`Redis did not answer within ${START_DEADLINE_MS} ms`);
  });
  try {
    const info = await Promise.race([redis.info("server"), died, late]);
    if (!info.includes(`process_id:${child.pid}\r\n`)) {
      throw new Error(`port ${port} is answered by another Redis`);
    }
  } catch (error) {
    const tail = await logTail(dir);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The embedded Redis did not start: ${reason}${tail}`, { cause: error });
  } finally {
    ended.abort();
    late.catch(() => {});
    died.catch(() => {});
    redis.disconnect();
  }
}

async function logTail(dir: string): Promise<string> {
  const text = await readFile(path.join(dir, "redis.log"), "utf8").catch(() => "");
  const lines = text.trim().split("\n").slice(-LOG_TAIL_LINES);
  return text === "" ? "" : `\n  ${lines.join("\n  ")}`;
}

/** Redis takes SIGTERM as SHUTDOWN: it writes its append-only file out before it ends. */
export async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(kill);
}
