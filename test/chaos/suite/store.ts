/** What a run keeps its data in: one Redis, or a cluster of them. */
import { connectCluster } from "../../../src/platform/redis-cluster.ts";
import { findRedis, waitForRedis } from "../../../src/platform/redis-wait.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { connectRedis, type Redis } from "../../../src/platform/redis.ts";
import { startChaosCluster, type ChaosCluster } from "./stage/chaos-cluster.ts";
import { startChaosRedis, type ChaosRedis } from "./stage/chaos-redis.ts";

export const STORE_KINDS = ["single", "cluster"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

export type ChaosStore =
  | { readonly kind: "single"; readonly url: string; readonly server: ChaosRedis }
  | { readonly kind: "cluster"; readonly url: string; readonly cluster: ChaosCluster };

/** @param env further variables of the server, such as those of a clock that can be stepped */
export async function openStore(
  kind: StoreKind,
  env: Readonly<Record<string, string>>,
): Promise<ChaosStore> {
  if (kind === "cluster") {
    const cluster = await startChaosCluster();
    return { kind, url: cluster.url, cluster };
  }
  const server = await startChaosRedis({ announce: () => {}, env });
  return { kind, url: server.url, server };
}

export async function closeStore(store: ChaosStore): Promise<void> {
  await (store.kind === "single" ? store.server.close() : store.cluster.close());
}

/** A connection to look with, past all links; it waits for a Redis that is away. */
export async function openReader(store: ChaosStore): Promise<Redis> {
  const logger = createSilentLogger();
  const place = await findRedis(store.url, (redis) => waitForRedis(redis, logger));
  return place.kind === "cluster"
    ? connectCluster(place, "blocking")
    : connectRedis(place.url, "blocking");
}
