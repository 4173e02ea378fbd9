/** A process that starts before its cluster is whole: it waits, says so, and goes on by itself. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { endServer } from "../../src/platform/embedded-redis-process.ts";
import { connectCluster } from "../../src/platform/redis-cluster.ts";
import { provisionRedis } from "../../src/platform/redis-provision.ts";
import { waitForMasters, waitForRedis } from "../../src/platform/redis-wait.ts";
import { startMember, type Member } from "../support/redis-cluster-node.ts";

const CACHE_DIR = fileURLToPath(new URL("../../.cache/redis", import.meta.url));
const HALF = 8_191;
const LAST = 16_383;
const NODE_TIMEOUT_MS = 5_000;

let root: string;
let node: Member;

beforeAll(async () => {
  const program = await provisionRedis({ cacheDir: CACHE_DIR, announce: () => {} });
  root = await mkdtemp(path.join(tmpdir(), "schoolbell-node-"));
  node = await startMember(program, path.join(root, "0"), NODE_TIMEOUT_MS);
  await node.redis.config("SET", "cluster-announce-ip", "127.0.0.1");
});

afterAll(async () => {
  node.redis.disconnect();
  await endServer(node.child);
  await rm(root, { recursive: true, force: true });
});

it("waits for a cluster of which some slots are nobody's, and says so", async () => {
  await node.redis.cluster("ADDSLOTSRANGE", 0, HALF);
  const said: unknown[] = [];
  const logger = { warn: (about: unknown) => void said.push(about) };
  const nodes = [{ host: "127.0.0.1", port: node.port }];
  const cluster = connectCluster({ kind: "cluster", nodes, access: {} }, "command");
  let isReady = false;
  const waiting = waitForRedis(cluster, logger)
    .then(() => waitForMasters(cluster, logger))
    .then(() => {
      isReady = true;
    });
  await expect.poll(() => said.length, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(isReady).toBe(false);
  await node.redis.cluster("ADDSLOTSRANGE", HALF + 1, LAST);
  await waiting;
  // A slot of each half: neither is refused.
  expect(await Promise.all(["a", "b"].map((key) => cluster.set(key, "1")))).toEqual(["OK", "OK"]);
  cluster.disconnect();
});
