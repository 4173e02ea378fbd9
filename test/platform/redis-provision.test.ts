/** Finding a Redis: what is taken, what is passed over, and what is said when there is none. */
import { chmod, mkdir, mkdtemp, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/platform/config.ts";
import { provisionRedis } from "../../src/platform/redis-provision.ts";

let dir: string;
let announced: string[];

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "schoolbell-provision-"));
  await mkdir(path.join(dir, "bin"));
  announced = [];
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function addProgram(name: string, script: string): Promise<string> {
  const file = path.join(dir, "bin", name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

function says(version: string): string {
  return `echo "Redis server v=${version} sha=00000000:0 malloc=jemalloc bits=64"`;
}

/** Answers as a server only when it was started under that name. */
const CHECK_TOOL = `case "$0" in */redis-server) ${says("7.0.15")};; *) exit 1;; esac`;

async function provision(mayInstall = false) {
  return await provisionRedis({
    cacheDir: path.join(dir, "cache"),
    announce: (line) => announced.push(line),
    searchPath: ["", path.join(dir, "bin")],
    mayInstall,
  });
}

describe("provisionRedis", () => {
  it("takes the redis-server on the path", async () => {
    const command = await addProgram("redis-server", says("8.0.2"));
    expect(await provision()).toEqual({ command, env: {} });
    expect(announced).toEqual([]);
  });

  it("starts Debian's check tool under the server's name", async () => {
    const tool = await addProgram("redis-check-rdb", CHECK_TOOL);
    const { command } = await provision();
    expect(path.basename(command)).toBe("redis-server");
    expect(await readlink(command)).toBe(tool);
  });

  it("finds it again the second time", async () => {
    await addProgram("redis-check-rdb", CHECK_TOOL);
    expect(await provision()).toEqual(await provision());
  });

  it("passes over a server that is too old, and says so", async () => {
    await addProgram("redis-server", says("6.2.14"));
    await addProgram("redis-check-rdb", CHECK_TOOL);
    expect((await provision()).command).toContain("cache");
    expect(announced.join()).toContain("older than Redis 7");
  });

  it("uses packages that were unpacked before, with their libraries", async () => {
    const unpacked = "../cache/unpacked/usr";
    await addProgram(`${unpacked}/bin/redis-check-rdb`, CHECK_TOOL);
    await mkdir(path.join(dir, "cache/unpacked/usr/lib/x86_64-linux-gnu"), { recursive: true });
    const { env } = await provision();
    expect(env).toEqual({
      LD_LIBRARY_PATH: path.join(dir, "cache/unpacked/usr/lib/x86_64-linux-gnu"),
    });
  });

  it("says in one line what to install when there is none", async () => {
    const failure = await provision().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(String(failure)).toMatch(/^[^\n]*install Redis 7[^\n]*REDIS_URL[^\n]*$/);
  });
});
