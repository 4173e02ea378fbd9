/** Connections to a cluster whose nodes cannot be reached: they must end when they are told to. */
import { once, type EventEmitter } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import type { Cluster } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { connectCluster, type ClusterPlace } from "../../src/platform/redis-cluster.ts";

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

async function lostCluster(): Promise<ClusterPlace> {
  return {
    kind: "cluster",
    nodes: [{ host: "127.0.0.1", port: await closedPort() }],
    access: {},
  };
}

/** A copy that is between two attempts to connect. */
async function reconnectingCopy(): Promise<Cluster> {
  const cluster = connectCluster(await lostCluster(), "blocking");
  onTestFinished(() => cluster.disconnect());
  const copy = cluster.duplicate();
  copy.on("error", () => {});
  await heard(copy, "reconnecting");
  return copy;
}

it("ends a copy that is between two attempts to connect", async () => {
  const copy = await reconnectingCopy();
  const ended = heard(copy, "end");
  copy.disconnect();
  await ended;
  expect(copy.status).toBe("end");
});

it("fails what a node hands back that ends after the copy has ended", async () => {
  const copy = await reconnectingCopy();
  const ended = heard(copy, "end");
  copy.disconnect();
  await ended;

  // What the client hears from its pool when the last node, which took its time, is gone.
  Reflect.get(copy, "connectionPool").emit("drain");
  await expect(copy.blpop("list", 0)).rejects.toThrow("None of startup nodes is available");

  expect(copy.status).toBe("end");
});
