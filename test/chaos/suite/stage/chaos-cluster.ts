/** The run's own Redis Cluster, and how its masters come and go. */
import { setTimeout as delay } from "node:timers/promises";
import { startRedisCluster, type ClusterNode } from "../../../support/redis-cluster.ts";
import { startWaterMark } from "./redis-water-mark.ts";

export interface ChaosCluster {
  /** Of all nodes. */
  readonly url: string;
  /** Planned: the master that this number draws hands over to its replica. */
  failover(draw: number): Promise<void>;
  /**
   * Unplanned: kill -9. Resolves when its replica has taken over.
   * @returns epoch ms of the runner's clock: what that master did by then is there; what came after
   *   may be gone, as a replica is told a moment later
   */
  killMaster(draw: number): Promise<{ readonly survivedUntil: number }>;
  /** It keeps its connections and answers nothing, until its replica has taken over. */
  freezeMaster(draw: number): Promise<{ readonly survivedUntil: number }>;
  /** Starts or thaws what is down; resolves when all is well. */
  recover(): Promise<void>;
  close(): Promise<void>;
}

/** Of a node in whose place another is put; long enough for a busy machine. */
const NODE_TIMEOUT_MS = 5_000;
/** Time for some marks, and for the replica to have them. */
const MARKING_MS = 500;
/** More than there are shards, so that each master has the slot of one of these. */
const TAGS = 64;

export async function startChaosCluster(): Promise<ChaosCluster> {
  const cluster = await startRedisCluster(NODE_TIMEOUT_MS);

  async function masterBy(draw: number): Promise<ClusterNode> {
    const masters = await cluster.masters();
    const master = masters[draw % Math.max(1, masters.length)];
    if (master === undefined) throw new Error("the cluster has no master");
    return master;
  }

  async function keyOn(master: ClusterNode): Promise<string> {
    for (let tag = 0; tag < TAGS; tag += 1) {
      const key = `chaos:{s${tag}}:water-mark`;
      if ((await cluster.masterOf(key)).port === master.port) return key;
    }
    throw new Error(`no mark can be set on the node at ${master.port}`);
  }

  async function lose(
    master: ClusterNode,
    how: "killMaster" | "freezeMaster",
  ): Promise<{ survivedUntil: number }> {
    const key = await keyOn(master);
    const mark = startWaterMark(`redis://127.0.0.1:${master.port}`, key);
    try {
      await delay(MARKING_MS);
      const heir = await cluster[how](master);
      const held = await heir.redis.get(key);
      if (held === null) throw new Error("the replica had none of its master's marks");
      return { survivedUntil: Number(held) };
    } finally {
      await mark.close();
    }
  }

  return {
    url: cluster.url,
    async failover(draw) {
      await cluster.failover(await masterBy(draw));
    },
    killMaster: async (draw) => await lose(await masterBy(draw), "killMaster"),
    freezeMaster: async (draw) => await lose(await masterBy(draw), "freezeMaster"),
    recover: () => cluster.recover(),
    close: () => cluster.close(),
  };
}
