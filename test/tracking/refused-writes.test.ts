/** What the ledger's scripts say when Redis refuses their writes: callers tell that from a bug by it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbeddedRedis, type EmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { isRedisUnavailable } from "../../src/platform/redis-failure.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { loadLedgerScript } from "../../src/tracking/ledger-script.ts";
import { createManualClock } from "../support/manual-clock.ts";

let dataDir: string;
/** Its own, which it may fill up. */
let embedded: EmbeddedRedis;
let redis: Redis;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-refused-"));
  const logger = createSilentLogger();
  embedded = await startEmbeddedRedis({ dataDir, appendOnly: false, logger, announce: () => {} });
  redis = connectRedis(embedded.url, "command");
  await waitForRedis(redis, logger);
});

afterAll(async () => {
  redis.disconnect();
  await embedded.stop();
  await rm(dataDir, { recursive: true, force: true });
});

function accept(): Promise<unknown> {
  const keyspace = createKeyspace({ shards: 1, prefix: "" });
  const run = loadLedgerScript(
    { redis, keyspace, clock: createManualClock(), outcomes: false },
    "accept",
  );
  const note = [
    keyspace.newNoteId("teacher-1"),
    "teacher-1",
    1,
    0,
    "2026-11-21",
    "t",
    "a",
    "r",
    "",
  ];
  return run(0, [0, ...note]);
}

describe("a Redis that is full", () => {
  it("is not taken for a bug, nor for what was to be written", async () => {
    await redis.config("SET", "maxmemory", "1", "maxmemory-policy", "noeviction");
    const failure: unknown = await accept().catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/^OOM /) });
    expect(isRedisUnavailable(failure)).toBe(true);
    await redis.config("SET", "maxmemory", "0");
    expect(await accept()).toEqual([1]);
  });
});
