/**
 * Takes what a stopped Redis has on disk back to an earlier time, as after a restored backup.
 *
 * With `aof-timestamp-enabled`, Redis writes `#TS:<epoch seconds>` in front of the first command of
 * each second in which there is one. `redis-check-aof --truncate-to-timestamp T` cuts the file off
 * before the first such line that is greater than T: all that was done in second T is kept.
 */
import { execFile } from "node:child_process";
import { rm, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { RedisProgram } from "../../../../src/platform/redis-provision.ts";

const run = promisify(execFile);

const CHECK_TIMEOUT_MS = 60_000;
/** Redis' own name for it, below the folder of its files. */
const MANIFEST = "appendonlydir/appendonly.aof.manifest";

/** What a Redis needs so that it can be taken back: times, and no rewrite that would forget them. */
export const ROLLBACK_DIRECTIVES = [
  "--aof-timestamp-enabled",
  "yes",
  "--auto-aof-rewrite-percentage",
  "0",
];

/**
 * @param server one that is not running
 * @param seconds of Redis' own clock
 * @returns whether anything was cut off
 * @throws Error with what the tool said, if nothing is as old as that
 */
export async function truncateTo(
  server: { readonly program: RedisProgram; readonly dir: string },
  seconds: number,
): Promise<boolean> {
  const { program, dir } = server;
  // The server is also the tool, if it is started under the tool's name.
  const tool = path.join(dir, "redis-check-aof");
  await rm(tool, { force: true });
  await symlink(program.command, tool);
  const { stdout } = await run(
    tool,
    ["--truncate-to-timestamp", String(seconds), path.join(dir, MANIFEST)],
    { timeout: CHECK_TIMEOUT_MS, env: { ...process.env, ...program.env } },
  ).catch((error: unknown) => {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout).trim() : "";
    throw new Error(`Redis could not be taken back to ${seconds}: ${said}`, { cause: error });
  });
  return stdout.includes("Successfully truncated AOF");
}
