/** One Redis for the whole run, with data in a folder that is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedRedis, type EmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import { createLogger } from "../../src/platform/logger.ts";

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
  }
}

let redis: EmbeddedRedis | undefined;
let dataDir: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-test-"));
  redis = await startEmbeddedRedis({
    dataDir,
    appendOnly: true,
    logger: createLogger({ level: "warn" }),
    announce: (line) => console.log(line),
  });
  project.provide("redisUrl", redis.url);
}

export async function teardown(): Promise<void> {
  await redis?.stop();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
}
