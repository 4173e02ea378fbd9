/** One Redis for the whole run, and one Kafka where its suites need it; their data is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedRedis, type EmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import {
  findFreePort,
  startLocalBroker,
  type LocalBroker,
} from "../../src/platform/kafka/local-broker.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { suitesThatUseKafka } from "./suites-that-import.ts";

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
    /** `host:port` of the run's broker, which may still be starting; empty where no suite needs it. */
    kafkaServers: string;
  }
}

const announce = (line: string): void => console.log(line);

let redis: EmbeddedRedis | undefined;
let broker: Promise<LocalBroker | undefined> = Promise.resolve(undefined);
let dataDir: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-test-"));
  await provideKafka(project, path.join(dataDir, "kafka"));
  redis = await startEmbeddedRedis({
    dataDir,
    appendOnly: true,
    logger: createLogger({ level: "warn" }),
    announce,
  });
  project.provide("redisUrl", redis.url);
}

/** Does not wait for the broker: suites that need none run meanwhile, the others wait themselves. */
async function provideKafka(project: TestProject, dir: string): Promise<void> {
  const given = process.env["KAFKA_BOOTSTRAP_SERVERS"];
  if (given !== undefined && given !== "") {
    project.provide("kafkaServers", given);
    return;
  }
  const wanted = new Set(suitesThatUseKafka(project.config.root));
  const isNeeded = project.vitest.state
    .getPaths()
    .some((file) => wanted.has(path.relative(project.config.root, file)));
  if (!isNeeded) {
    project.provide("kafkaServers", "");
    return;
  }
  const port = await findFreePort();
  project.provide("kafkaServers", `127.0.0.1:${port}`);
  broker = startLocalBroker({ dataDir: dir, port, announce }).catch((error: unknown) => {
    announce(error instanceof Error ? error.message : String(error));
    return undefined;
  });
}

export async function teardown(): Promise<void> {
  await (await broker)?.stop();
  await redis?.stop();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
}
