/** The embedded Redis: what was written survives a restart, and a crash leaves nothing behind. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Redis } from "ioredis";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  findEmbeddedRedis,
  startEmbeddedRedis,
  type EmbeddedRedis,
} from "../../src/platform/embedded-redis.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { checkRedisSettings } from "../../src/platform/redis-settings.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { openTestRedis } from "../support/redis.ts";

/** A process that starts the embedded Redis in the folder it is told and prints its address. */
const OWNER_SCRIPT = `
  import { startEmbeddedRedis } from ${JSON.stringify(new URL("../../src/platform/embedded-redis.ts", import.meta.url))};
  const logger = { info() {}, warn() {}, error() {} };
  const redis = await startEmbeddedRedis({
    dataDir: process.env.TEST_DATA_DIR, appendOnly: true, logger, announce() {},
  });
  process.on("SIGUSR2", () => process.exit(1));
  process.stdout.write(redis.url);
`;

const releases: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
    await release();
  }
});

async function makeDataDir(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), "schoolbell-redis-"));
  releases.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function start(dataDir: string, announced: string[] = []): Promise<EmbeddedRedis> {
  const embedded = await startEmbeddedRedis({
    dataDir,
    appendOnly: true,
    logger: createSilentLogger(),
    announce: (line) => announced.push(line),
  });
  releases.push(() => embedded.stop());
  return embedded;
}

async function connect(url: string): Promise<Redis> {
  const redis = connectRedis(url, "subscriber");
  releases.push(async () => redis.disconnect());
  await waitForRedis(redis, createSilentLogger());
  return redis;
}

async function startOwner(dataDir: string): Promise<{ owner: ChildProcess; url: string }> {
  const owner = spawn(process.execPath, ["--input-type=module", "--eval", OWNER_SCRIPT], {
    env: { ...process.env, TEST_DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  releases.push(async () => owner.kill("SIGKILL"));
  const url = await new Promise<string>((resolve, reject) => {
    owner.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    owner.once("exit", () => reject(new Error("the owner ended early")));
  });
  return { owner, url };
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  await new Promise((resolve) => process.once("exit", resolve));
}

async function processIdOf(redis: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]);
}

/** Not by its process id: one that ended stays listed until its parent has taken note. */
async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

describe("the embedded Redis", () => {
  it("keeps what was written over a restart, in the settings that are asked of any Redis", async () => {
    const dataDir = await makeDataDir();
    const first = await start(dataDir);
    const redis = await connect(first.url);
    expect(await checkRedisSettings(redis)).toEqual([]);
    await redis.set("kept", "yes");
    redis.disconnect();
    await first.stop();

    const second = await start(dataDir);
    expect(await (await connect(second.url)).get("kept")).toBe("yes");
  });

  it("can be stopped twice, without taking the folder from who uses it by then", async () => {
    const dataDir = await makeDataDir();
    const first = await start(dataDir);
    await first.stop();
    await start(dataDir);
    await first.stop();
    await expect(start(dataDir)).rejects.toThrow("is in use");
  });

  it("refuses a folder that a running process uses, and says which", async () => {
    const dataDir = await makeDataDir();
    await start(dataDir);
    await expect(start(dataDir)).rejects.toThrow(`running process ${process.pid}`);
  });

  it("is found by others who know the folder, as long as it runs", async () => {
    const dataDir = await makeDataDir();
    expect(await findEmbeddedRedis(dataDir)).toBeUndefined();
    const embedded = await start(dataDir);
    expect(await findEmbeddedRedis(dataDir)).toBe(embedded.url);
    await embedded.stop();
    expect(await findEmbeddedRedis(dataDir)).toBeUndefined();
  });

  it("refuses a port that is taken, and leaves the folder free", async () => {
    const dataDir = await makeDataDir();
    const other = await start(await makeDataDir());
    const port = Number(new URL(other.url).port);
    const options = { dataDir, appendOnly: true, logger: createSilentLogger(), announce: () => {} };
    await expect(startEmbeddedRedis({ ...options, port })).rejects.toThrow("did not start");
    await expect(start(dataDir)).resolves.toBeDefined();
  });

  it("comes back at the same address when it is killed", async () => {
    const embedded = await start(await makeDataDir());
    const redis = await connect(embedded.url);
    const before = await processIdOf(redis);
    process.kill(before, "SIGKILL");
    await vi.waitFor(async () => expect(await processIdOf(redis)).not.toBe(before), 10_000);
  });

  it("stops with a process that ends without stopping it", async () => {
    const { owner, url } = await startOwner(await makeDataDir());
    owner.kill("SIGUSR2");
    await ended(owner);
    await vi.waitFor(async () => expect(await answers(url)).toBe(false), 10_000);
  });

  it("clears away the server of a process that was killed, and keeps its data", async () => {
    const dataDir = await makeDataDir();
    const { owner, url } = await startOwner(dataDir);
    const orphaned = await connect(url);
    const orphan = await processIdOf(orphaned);
    await orphaned.set("kept", "yes");
    orphaned.disconnect();
    owner.kill("SIGKILL");
    await ended(owner);
    expect(await answers(url)).toBe(true);

    const announced: string[] = [];
    const fresh = await start(dataDir, announced);
    expect(await answers(url)).toBe(false);
    expect(announced.join()).toContain(String(orphan));
    expect(await (await connect(fresh.url)).get("kept")).toBe("yes");
  });
});

describe("openTestRedis", () => {
  it("gives each suite a prefix of its own and leaves nothing behind", async () => {
    const first = await openTestRedis();
    const second = await openTestRedis();
    expect(first.prefix).not.toBe(second.prefix);
    await first.redis.set(first.keyspace.plain("x"), "1");
    await first.close();
    expect(await second.redis.exists(first.keyspace.plain("x"))).toBe(0);
    await second.close();
  });
});
