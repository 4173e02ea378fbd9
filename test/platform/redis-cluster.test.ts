/** Connections to a cluster whose nodes cannot be reached: they must end when they are told to. */
import { once, type EventEmitter } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, it } from "vitest";
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

it("ends a copy that is between two attempts to connect", async () => {
  const cluster = connectCluster(await lostCluster(), "blocking");
  const copy = cluster.duplicate();
  copy.on("error", () => {});
  await heard(copy, "reconnecting");

  const ended = heard(copy, "end");
  copy.disconnect();
  await ended;

  expect(copy.status).toBe("end");
  cluster.disconnect();
});
