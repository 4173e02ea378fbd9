/** Who uses a data folder: one living process at a time; what a crash left running is cleared. */
import { execFile } from "node:child_process";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { ConfigError } from "./config.ts";

const run = promisify(execFile);

const FILE = "owner.json";
const ORPHAN_STOP_MS = 10_000;
const POLL_MS = 50;

const processSchema = z.object({
  pid: z.number().int().positive(),
  /** When the process started, as the system tells it: a pid alone may be reused. */
  startedAt: z.string(),
});
const redisSchema = processSchema.extend({
  /** On 127.0.0.1. */
  port: z.number().int().optional(),
});
const recordSchema = z.object({ owner: processSchema, redis: redisSchema.optional() });

type ProcessRecord = z.infer<typeof processSchema>;

export interface DataDirLock {
  /** Records the server, so that a later start can clear it away, and others can find it. */
  recordRedis(pid: number, port: number): Promise<void>;
  /** Lets the folder go; a second call does nothing, since it may be another's by then. */
  release(): Promise<void>;
}

/**
 * Takes the folder for this process, after stopping a Redis whose owner died.
 * @throws ConfigError if another living process uses the folder
 */
export async function takeDataDir(
  dir: string,
  announce: (line: string) => void,
): Promise<DataDirLock> {
  const file = path.join(dir, FILE);
  const previous = await readRecord(file);
  if (previous !== undefined) {
    if (await isSameProcess(previous.owner)) {
      throw new ConfigError(
        `${dir} is in use by the running process ${previous.owner.pid}: stop it, or give this ` +
          "one another DATA_DIR.",
      );
    }
    if (previous.redis !== undefined && (await isSameProcess(previous.redis))) {
      announce(`Stopping a Redis that a crash left behind (pid ${previous.redis.pid})`);
      await stopOrphan(previous.redis);
    }
    await rm(file, { force: true });
  }
  const owner = await describeProcess(process.pid);
  // Fails when another process started at the same moment took the folder first.
  await writeFile(file, JSON.stringify({ owner }), { flag: "wx" }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new ConfigError(`${dir} was taken by another process just now`, { cause: error });
  });

  let held = true;
  return {
    async recordRedis(pid, port) {
      const record = { owner, redis: { ...(await describeProcess(pid)), port } };
      await writeFile(`${file}.new`, JSON.stringify(record));
      await rename(`${file}.new`, file);
    },
    async release() {
      if (!held) return;
      held = false;
      await rm(file, { force: true });
    },
  };
}

/** Port of the living Redis of this folder, for another process that wants to talk to it. */
export async function findRedisPort(dir: string): Promise<number | undefined> {
  try {
    const text = await readFile(path.join(dir, FILE), "utf8");
    const { redis } = recordSchema.parse(JSON.parse(text));
    return redis !== undefined && (await isSameProcess(redis)) ? redis.port : undefined;
  } catch {
    return undefined;
  }
}

async function readRecord(file: string): Promise<z.infer<typeof recordSchema> | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    // Absent, or half written by a crash: nobody can be told from it.
    await rm(file, { force: true });
    return undefined;
  }
}

async function describeProcess(pid: number): Promise<ProcessRecord> {
  return { pid, startedAt: (await startOf(pid)) ?? "" };
}

async function isSameProcess(record: ProcessRecord): Promise<boolean> {
  return (await startOf(record.pid)) === record.startedAt;
}

/** Start time of a living process in the system's own notation; undefined if there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === "linux") {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      // proc(5): the name in parentheses may hold spaces; after it state is field 3, start is 22.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" ? undefined : fields[19];
    }
    const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() === "" ? undefined : stdout.trim();
  } catch {
    return undefined;
  }
}

/** Redis takes SIGTERM as SHUTDOWN: it writes its append-only file out before it ends. */
async function stopOrphan(orphan: ProcessRecord): Promise<void> {
  process.kill(orphan.pid, "SIGTERM");
  const endsAt = performance.now() + ORPHAN_STOP_MS;
  while (performance.now() < endsAt) {
    if (!(await isSameProcess(orphan))) return;
    await delay(POLL_MS);
  }
  process.kill(orphan.pid, "SIGKILL");
}
