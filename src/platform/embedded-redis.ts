/** A Redis of our own for development and tests: started, watched and stopped with this process. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { takeDataDir } from "./embedded-redis-lock.ts";
import type { Logger } from "./logger.ts";
import { provisionRedis, type RedisProgram } from "./redis-provision.ts";
import { PUBSUB_BUFFER } from "./redis-settings.ts";

/** Loading a large append-only file takes a while. */
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 5_000;
const CONNECT_RETRY_MS = 25;
/** A free port may be taken between finding it and Redis binding it. */
const START_TRIES = 3;
/** A server that dies is started again, not for ever. */
const MAX_RESTARTS = 10;
const RESTART_AFTER_MS = 500;
const LOG_TAIL_LINES = 3;
const DEFAULT_CACHE_DIR = fileURLToPath(new URL("../../.cache/redis", import.meta.url));

export interface EmbeddedRedisOptions {
  /** The server's files go to `<dataDir>/redis`. */
  readonly dataDir: string;
  /** Where a fetched Redis is kept; `.cache/redis` of the project unless told. */
  readonly cacheDir?: string;
  /** On 127.0.0.1; a free one unless told. */
  readonly port?: number;
  /** Whether data outlives the server. */
  readonly appendOnly: boolean;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  /** Tells the person at the screen what takes time. */
  readonly announce: (line: string) => void;
}

export interface EmbeddedRedis {
  readonly url: string;
  /** Stops the server cleanly; its data is on disk afterwards. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * @throws RedisMissingError if there is no Redis and none could be fetched
 * @throws DataDirInUseError if another living process uses `dataDir`
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const program = await provisionRedis({
    cacheDir: options.cacheDir ?? DEFAULT_CACHE_DIR,
    announce: options.announce,
  });
  const dir = path.resolve(options.dataDir, "redis");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lock = await takeDataDir(dir, options.announce);

  const launch = async (port: number): Promise<ChildProcess> => {
    const child = launchServer(program, { dir, port, appendOnly: options.appendOnly });
    if (child.pid !== undefined) await lock.recordRedis(child.pid);
    try {
      await untilAnswering(child, port, dir);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return child;
  };

  try {
    const { child, port } = await launchOnFreePort(launch, options.port);
    const supervisor = supervise(child, () => launch(port), options.logger);
    options.logger.info({ port, dir }, "embedded Redis started");
    return {
      url: `redis://127.0.0.1:${port}/0`,
      async stop() {
        await supervisor.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function launchOnFreePort(
  launch: (port: number) => Promise<ChildProcess>,
  wanted: number | undefined,
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await findFreePort());
    try {
      return { child: await launch(port), port };
    } catch (error) {
      if (wanted !== undefined || attempt >= START_TRIES) throw error;
    }
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no TCP port was given");
  return address.port;
}

function launchServer(
  program: RedisProgram,
  settings: { dir: string; port: number; appendOnly: boolean },
): ChildProcess {
  const { dir, port, appendOnly } = settings;
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
    ["--maxmemory-policy", "noeviction"],
    ["--client-output-buffer-limit", "pubsub", ...[hardBytes, softBytes, softSeconds].map(String)],
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

async function untilAnswering(child: ChildProcess, port: number, dir: string): Promise<void> {
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

/** Starts the server again when it dies by itself; ends it when this process ends. */
function supervise(
  first: ChildProcess,
  relaunch: () => Promise<ChildProcess>,
  logger: EmbeddedRedisOptions["logger"],
): { stop(): Promise<void> } {
  let child = first;
  let stopping = false;
  let restarts = 0;
  let restarting: Promise<void> = Promise.resolve();

  const restart = async (): Promise<void> => {
    await delay(RESTART_AFTER_MS);
    if (stopping) return;
    try {
      child = await relaunch();
      watch();
    } catch (error) {
      logger.error({ err: error }, "the embedded Redis could not be started again");
    }
  };
  const watch = (): void => {
    child.once("exit", (code, signal) => {
      if (stopping) return;
      restarts += 1;
      logger.error({ code, signal, restarts }, "the embedded Redis ended by itself");
      if (restarts <= MAX_RESTARTS) restarting = restart();
    });
  };
  // However this process ends, short of SIGKILL, the server does not stay behind.
  const onExit = (): void => {
    child.kill("SIGTERM");
  };

  watch();
  process.on("exit", onExit);
  return {
    async stop() {
      stopping = true;
      await restarting;
      await endServer(child);
      process.off("exit", onExit);
    },
  };
}

/** Redis takes SIGTERM as SHUTDOWN: it writes its append-only file out before it ends. */
async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(kill);
}
