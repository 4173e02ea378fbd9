/** Connections to a cluster that is not there, or not whole: whoever waits for them must be answered. */
import { once, type EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Cluster } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { endServer } from "../../src/platform/embedded-redis-process.ts";
import { connectCluster, type ClusterPlace } from "../../src/platform/redis-cluster.ts";
import { provisionRedis } from "../../src/platform/redis-provision.ts";
import { startMember } from "../support/redis-cluster-node.ts";

const CACHE_DIR = fileURLToPath(new URL("../../.cache/redis", import.meta.url));

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Unlike `once` of Node it does not mind the errors on the way. */
function heard(emitter: EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => emitter.once(event, () => resolve()));
}

const clusterAt = (port: number): ClusterPlace => ({
  kind: "cluster",
  nodes: [{ host: "127.0.0.1", port }],
  access: {},
});

/** A copy that is between two attempts to connect. */
async function reconnectingCopy(port: number): Promise<Cluster> {
  const cluster = connectCluster(clusterAt(port), "blocking");
  onTestFinished(() => cluster.disconnect());
  const copy = cluster.duplicate();
  copy.on("error", () => {});
  await heard(copy, "reconnecting");
  return copy;
}

/** What a connection hears from its pool when a node is gone that was told to end long before. */
function nodeEndsLate(copy: Cluster): void {
  Reflect.get(copy, "connectionPool").emit("drain");
}

it("ends a copy that is between two attempts to connect", async () => {
  const copy = await reconnectingCopy(await closedPort());
  const ended = heard(copy, "end");
  copy.disconnect();
  await ended;
  expect(copy.status).toBe("end");
});

it("fails what a node hands back that ends after the copy has ended", async () => {
  const copy = await reconnectingCopy(await closedPort());
  const ended = heard(copy, "end");
  copy.disconnect();
  await ended;

  nodeEndsLate(copy);
  await expect(copy.blpop("list", 0)).rejects.toThrow("None of startup nodes is available");

  expect(copy.status).toBe("end");
});

it("goes on to connect where a node ends late, as nobody told it to end", async () => {
  const copy = await reconnectingCopy(await closedPort());
  const goesOn = heard(copy, "reconnecting");
  nodeEndsLate(copy);
  await goesOn;
  copy.disconnect();
});

it("answers who connects anew while a part of the slots is not served", async () => {
  const dir = await mkdtemp(path.join(tmpdir(), "schoolbell-node-"));
  const program = await provisionRedis({ cacheDir: CACHE_DIR, announce: () => {} });
  const member = await startMember(program, path.join(dir, "node"), 5_000);
  onTestFinished(async () => {
    member.redis.disconnect();
    await endServer(member.child);
    await rm(dir, { recursive: true });
  });
  await member.redis.cluster("ADDSLOTS", 0);

  const copy = await reconnectingCopy(member.port);
  await expect(copy.connect()).rejects.toThrow("Connection is closed");

  copy.disconnect();
});
