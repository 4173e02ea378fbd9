/** Finds a Redis 7 server on this machine, or fetches one, so that a first start needs no set-up. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdir, readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { ConfigError } from "./config.ts";
import { installTools, UNPACKED_FOLDER, unpackTools } from "./redis-provision-apt.ts";
import { LEAST_REDIS_MAJOR } from "./redis-settings.ts";

const run = promisify(execFile);

const VERSION_TIMEOUT_MS = 5_000;

/** A program that behaves as `redis-server`, and what its environment must hold besides ours. */
export interface RedisProgram {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ProvisionOptions {
  /** Where links and unpacked packages are kept; made if absent. */
  readonly cacheDir: string;
  /** Tells the person at the screen what is being fetched. */
  readonly announce: (line: string) => void;
  /** Folders searched for programs; `$PATH` unless told. */
  readonly searchPath?: readonly string[];
  /** Whether system packages may be installed; true for root unless told. */
  readonly mayInstall?: boolean;
}

/**
 * In this order: `redis-server` on the path; Debian's `redis-check-rdb`, which is the same binary
 * and becomes the server when it is started under that name (so no system service is installed);
 * `redis-tools` installed by apt as root; the same packages unpacked into `cacheDir`.
 * @throws ConfigError of one line that says what to install, if none of these works
 */
export async function provisionRedis(options: ProvisionOptions): Promise<RedisProgram> {
  const searchPath = options.searchPath ?? (process.env["PATH"] ?? "").split(path.delimiter);
  const cacheDir = path.resolve(options.cacheDir);

  const server = await findProgram("redis-server", searchPath);
  if (server !== undefined) {
    const program = { command: server, env: {} };
    if (await isRecentEnough(program)) return program;
    options.announce(`${server} is older than Redis ${LEAST_REDIS_MAJOR}; looking for another`);
  }
  const present = await fromCheckTool(searchPath, cacheDir);
  if (present !== undefined) return present;

  const unpacked = await fromUnpacked(cacheDir);
  if (unpacked !== undefined) return unpacked;

  if ((await findProgram("apt-get", searchPath)) === undefined) throw missing();
  if (options.mayInstall ?? process.getuid?.() === 0) {
    if (await installTools(options.announce)) {
      const installed = await fromCheckTool(searchPath, cacheDir);
      if (installed !== undefined) return installed;
    }
  }
  try {
    await unpackTools(cacheDir, options.announce);
  } catch (error) {
    throw missing(error);
  }
  const fetched = await fromUnpacked(cacheDir);
  if (fetched !== undefined) return fetched;
  throw missing();
}

function missing(cause?: unknown): ConfigError {
  return new ConfigError(
    `No Redis found: install Redis ${LEAST_REDIS_MAJOR} or newer so that redis-server is on the ` +
      "PATH, or set REDIS_URL to one that runs elsewhere.",
    { cause },
  );
}

async function findProgram(
  name: string,
  searchPath: readonly string[],
): Promise<string | undefined> {
  for (const folder of searchPath) {
    if (folder === "") continue;
    const candidate = path.join(folder, name);
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

async function isRecentEnough(program: RedisProgram): Promise<boolean> {
  try {
    const { stdout } = await run(program.command, ["--version"], {
      timeout: VERSION_TIMEOUT_MS,
      env: { ...process.env, ...program.env },
    });
    const major = /\bv=(\d+)\./.exec(stdout)?.[1];
    return major !== undefined && Number(major) >= LEAST_REDIS_MAJOR;
  } catch {
    return false;
  }
}

async function fromCheckTool(
  searchPath: readonly string[],
  cacheDir: string,
): Promise<RedisProgram | undefined> {
  const tool = await findProgram("redis-check-rdb", searchPath);
  return tool === undefined ? undefined : await asServer(tool, path.join(cacheDir, "bin"), {});
}

/** The binary decides by the name it was started with what it is. */
async function asServer(
  tool: string,
  linkDir: string,
  env: Readonly<Record<string, string>>,
): Promise<RedisProgram | undefined> {
  await mkdir(linkDir, { recursive: true });
  const command = path.join(linkDir, "redis-server");
  const target = path.resolve(tool);
  if ((await readlink(command).catch(() => undefined)) !== target) {
    // Put in place in one step: other processes may be starting from the same folder.
    const fresh = `${command}.${process.pid}`;
    await rm(fresh, { force: true });
    await symlink(target, fresh);
    await rename(fresh, command);
  }
  const program = { command, env };
  return (await isRecentEnough(program)) ? program : undefined;
}

async function fromUnpacked(cacheDir: string): Promise<RedisProgram | undefined> {
  const root = path.join(cacheDir, UNPACKED_FOLDER);
  const tool = await findProgram("redis-check-rdb", [path.join(root, "usr/bin")]);
  if (tool === undefined) return undefined;
  const libraries: string[] = [];
  for (const parent of ["usr/lib", "lib"]) {
    const folders = await readdir(path.join(root, parent)).catch(() => []);
    libraries.push(
      ...folders
        .filter((name) => name.includes("linux-gnu"))
        .map((name) => path.join(root, parent, name)),
    );
  }
  const env = { LD_LIBRARY_PATH: libraries.join(":") };
  return await asServer(tool, path.join(root, "bin"), env);
}
