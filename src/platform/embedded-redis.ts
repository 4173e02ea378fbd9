/** A Redis of our own for development and tests: started, watched and stopped with this process. */
import type { ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inDataDir } from "./data-dir.ts";
import { findRedisPort, takeDataDir } from "./embedded-redis-lock.ts";
import { endServer, launchServer, untilAnswering } from "./embedded-redis-process.ts";
import type { Logger } from "./logger.ts";
import { provisionRedis } from "./redis-provision.ts";

/** A free port may be taken between finding it and Redis binding it. */
const START_TRIES = 3;
/** A server that dies is started again, not for ever. */
const MAX_RESTARTS = 10;
const RESTART_AFTER_MS = 500;
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
 * @throws ConfigError if there is no Redis and none could be fetched, if `dataDir` cannot be
 *   written, or if another living process uses it
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const program = await provisionRedis({
    cacheDir: options.cacheDir ?? DEFAULT_CACHE_DIR,
    announce: options.announce,
  });
  const dir = path.resolve(options.dataDir, "redis");
  const lock = await inDataDir(options.dataDir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return await takeDataDir(dir, options.announce);
  });

  const launch = async (port: number): Promise<ChildProcess> => {
    const child = launchServer(program, { dir, port, appendOnly: options.appendOnly });
    if (child.pid !== undefined) await lock.recordRedis(child.pid, port);
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

/** Where the embedded Redis of another process that uses this folder answers, if one does. */
export async function findEmbeddedRedis(dataDir: string): Promise<string | undefined> {
  const port = await findRedisPort(path.resolve(dataDir, "redis"));
  return port === undefined ? undefined : `redis://127.0.0.1:${port}/0`;
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
