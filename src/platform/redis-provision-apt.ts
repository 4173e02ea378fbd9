/** Gets Debian's Redis through apt: installed by root, or unpacked into a folder by anyone. */
import { execFile } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const INSTALL_TIMEOUT_MS = 300_000;

/** Below the cache folder; laid out like the root of a file system. */
export const UNPACKED_FOLDER = "unpacked";

/** For a system where apt counts redis-tools as installed, and its program is not there. */
const UNPACKED_PACKAGES = ["redis-tools", "liblzf1", "libjemalloc2", "libatomic1"];

/** @returns whether apt succeeded; a failure is told and the next way is tried. */
export async function installTools(announce: (line: string) => void): Promise<boolean> {
  announce("No Redis found; installing the package redis-tools with apt-get (once) ...");
  const options = {
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  try {
    await run("apt-get", ["update"], options);
    await run("apt-get", ["install", "-y", "--no-install-recommends", "redis-tools"], options);
    return true;
  } catch {
    announce("apt-get could not install redis-tools");
    return false;
  }
}

/**
 * Fetches the packages without installing them, which needs no rights.
 * @throws Error if apt cannot fetch or dpkg cannot unpack them
 */
export async function unpackTools(
  cacheDir: string,
  announce: (line: string) => void,
): Promise<void> {
  announce(`No Redis found; unpacking the package redis-tools under ${cacheDir} (once) ...`);
  const packageDir = path.join(cacheDir, "packages");
  await mkdir(packageDir, { recursive: true });
  try {
    try {
      await download(packageDir, []);
    } catch {
      // Container images come without package lists, and only root may write the system's own.
      await download(packageDir, await fetchLists(path.join(cacheDir, "apt")));
    }
    for (const file of await readdir(packageDir)) {
      if (!file.endsWith(".deb")) continue;
      await run("dpkg", ["-x", path.join(packageDir, file), path.join(cacheDir, UNPACKED_FOLDER)]);
    }
  } finally {
    await rm(path.join(cacheDir, "apt"), { recursive: true, force: true });
    await rm(packageDir, { recursive: true, force: true });
  }
}

/** @returns the options with which apt uses package lists kept in `dir`. */
async function fetchLists(dir: string): Promise<readonly string[]> {
  const options = [
    ["-o", `Dir::State::lists=${path.join(dir, "lists")}`],
    ["-o", `Dir::Cache=${path.join(dir, "cache")}`],
  ].flat();
  // apt makes these in its own folders only.
  await mkdir(path.join(dir, "lists", "partial"), { recursive: true });
  await mkdir(path.join(dir, "cache", "archives", "partial"), { recursive: true });
  await run("apt-get", [...options, "update"], { timeout: INSTALL_TIMEOUT_MS });
  return options;
}

async function download(into: string, options: readonly string[]): Promise<void> {
  const packages = await listLacking(options);
  await run("apt-get", [...options, "download", ...packages], {
    cwd: into,
    timeout: INSTALL_TIMEOUT_MS,
  });
}

/** What an installation would add to this system, dependencies included. */
async function listLacking(options: readonly string[]): Promise<readonly string[]> {
  const args = ["install", "--simulate", "--no-install-recommends", "redis-tools"];
  const { stdout } = await run("apt-get", [...options, ...args], { timeout: INSTALL_TIMEOUT_MS });
  const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
  return packages.length > 0 ? packages : UNPACKED_PACKAGES;
}
