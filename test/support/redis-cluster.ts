/** A Redis Cluster of a suite's own: three masters with a replica each, which can be failed over and killed. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Command } from "ioredis";
import { endServer, untilAnswering } from "../../src/platform/embedded-redis-process.ts";
import { provisionRedis } from "../../src/platform/redis-provision.ts";
import {
  BUS_OFFSET,
  launch,
  slotsOf,
  startMember,
  until,
  type ClusterNode,
  type Member,
} from "./redis-cluster-node.ts";

export type { ClusterNode };

export interface RedisCluster {
  /** For `REDIS_URL`: all nodes, so that any of them may be down. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** Those that have slots, in the order of the slots, as the living nodes see it. */
  masters(): Promise<ClusterNode[]>;
  /** The master that has the slot of this key. */
  masterOf(key: string): Promise<ClusterNode>;
  /** Planned: a master hands over to its replica, and loses nothing. Returns the new one. */
  failover(master: ClusterNode): Promise<ClusterNode>;
  /** Unplanned: kill -9. Resolves with the replica that took over. */
  killMaster(master: ClusterNode): Promise<ClusterNode>;
  /** It keeps its connections and answers nothing, until `thaw`; its replica takes over. */
  freezeMaster(master: ClusterNode): Promise<ClusterNode>;
  /** Resolves when it follows the one that took over. */
  thaw(node: ClusterNode): Promise<void>;
  /**
   * Begins to move the slot of this key to another master.
   * @returns what moves its keys, some at a time, and ends the move; it rejects where both have one
   */
  moveSlot(key: string): Promise<() => Promise<void>>;
  /** Starts a node that was killed; resolves when it follows the one that took over. */
  restart(node: ClusterNode): Promise<void>;
  /** Resolves when all slots are served, and every running replica has what its master has. */
  untilWell(): Promise<void>;
  /** Thaws and starts whatever is not running, and waits until all is well. */
  recover(): Promise<void>;
  close(): Promise<void>;
}

const CACHE_DIR = fileURLToPath(new URL("../../.cache/redis", import.meta.url));
const MASTERS = 3;
const NODES = 2 * MASTERS;
const SLOTS = 16_384;
/** Long enough for a busy machine, on which a node that gets no turn looks like a dead one. */
const NODE_TIMEOUT_MS = 5_000;
const FAILOVER_MS = 200;
const KEYS_AT_A_TIME = 10;
const MOVE_TIMEOUT_MS = 5_000;

/** @param nodeTimeoutMs how long a node may be silent before others take it for dead */
export async function startRedisCluster(
  nodeTimeoutMs: number = NODE_TIMEOUT_MS,
): Promise<RedisCluster> {
  const program = await provisionRedis({ cacheDir: CACHE_DIR, announce: () => {} });
  const root = await mkdtemp(path.join(tmpdir(), "schoolbell-cluster-"));
  const members: Member[] = [];
  const orphanGuard = (): void => {
    for (const { child } of members) child.kill("SIGKILL");
  };
  process.once("exit", orphanGuard);
  for (let index = 0; index < NODES; index += 1) {
    members.push(await startMember(program, path.join(root, String(index)), nodeTimeoutMs));
  }
  await join(members);

  const living = (): Member[] => members.filter((one) => one.isRunning() && !one.frozen);
  const memberOf = (node: ClusterNode): Member => {
    const member = members.find(({ port }) => port === node.port);
    if (member === undefined) throw new Error(`no node has port ${node.port}`);
    return member;
  };

  async function masters(): Promise<ClusterNode[]> {
    const [first] = living();
    if (first === undefined) return [];
    const ranges = await slotsOf(first.redis);
    return ranges.flatMap(({ port }) => members.filter((member) => member.port === port));
  }

  async function masterOf(key: string): Promise<ClusterNode> {
    const [first] = living();
    const slot = new Command("get", [key]).getSlot() ?? 0;
    const range =
      first && (await slotsOf(first.redis)).find(({ from, to }) => from <= slot && slot <= to);
    const master = members.find(({ port }) => port === range?.port);
    if (master === undefined) throw new Error(`nobody has the slot of ${key}`);
    return master;
  }

  async function replicaOf(master: ClusterNode): Promise<Member> {
    for (const member of living()) {
      const info = await member.redis.info("replication");
      if (info.includes(`master_port:${master.port}\r`)) return member;
    }
    throw new Error(`the master at ${master.port} has no replica`);
  }

  /** Every living node has to know it: whoever asks any of them is sent to the right one. */
  async function untilMaster(node: ClusterNode): Promise<void> {
    await until(async () => {
      const views = await Promise.all(living().map(({ redis }) => slotsOf(redis)));
      return views.every((ranges) => ranges.some(({ port }) => port === node.port));
    }, `the node at ${node.port} did not take over`);
    await until(async () => {
      const states = await Promise.all(living().map(({ redis }) => redis.cluster("INFO")));
      return states.every((state) => state.includes("cluster_state:ok"));
    }, "not all slots are served");
  }

  async function untilFollowing(member: Member): Promise<void> {
    await until(async () => {
      const info = await member.redis.info("replication");
      return info.includes("role:slave") && info.includes("master_link_status:up");
    }, `the node at ${member.port} follows nobody`);
  }

  async function untilWell(): Promise<void> {
    await until(async () => {
      const infos = await Promise.all(
        living().map(async ({ redis }) => [
          await redis.cluster("INFO"),
          await redis.info("replication"),
        ]),
      );
      return infos.every(
        ([state = "", replication = ""]) =>
          state.includes("cluster_state:ok") &&
          (replication.includes("role:master") || replication.includes("master_link_status:up")),
      );
    }, "the cluster is not well");
  }

  async function thaw(node: ClusterNode): Promise<void> {
    const member = memberOf(node);
    member.child.kill("SIGCONT");
    member.frozen = false;
    await untilFollowing(member);
  }

  async function restart(node: ClusterNode): Promise<void> {
    const member = memberOf(node);
    member.child = launch(program, member, nodeTimeoutMs);
    await untilAnswering(member.child, member.port, member.dir);
    await untilFollowing(member);
  }

  return {
    url: members.map(({ port }) => `redis://127.0.0.1:${port}`).join(","),
    nodes: members,
    masters,
    masterOf,
    async failover(master) {
      const replica = await replicaOf(master);
      await untilFollowing(replica);
      // A master that does not know its replica as such yet lets the order pass: it is to be repeated.
      await until(async () => {
        const info = await replica.redis.info("replication");
        if (info.includes("role:master")) return true;
        // Refused if it became the master just now.
        await replica.redis.cluster("FAILOVER").catch(() => {});
        await delay(FAILOVER_MS);
        return false;
      }, `the node at ${replica.port} did not take over`);
      await untilMaster(replica);
      await untilFollowing(memberOf(master));
      return replica;
    },
    async killMaster(master) {
      const replica = await replicaOf(master);
      const { child } = memberOf(master);
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      await untilMaster(replica);
      return replica;
    },
    async freezeMaster(master) {
      const replica = await replicaOf(master);
      const member = memberOf(master);
      member.frozen = true;
      member.child.kill("SIGSTOP");
      await untilMaster(replica);
      return replica;
    },
    thaw,
    restart,
    async moveSlot(key) {
      const slot = new Command("get", [key]).getSlot() ?? 0;
      const from = await masterOf(key);
      const to = (await masters()).find(({ port }) => port !== from.port);
      if (to === undefined) throw new Error("there is no other master");
      await to.redis.call("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
      await from.redis.call("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);
      return async () => {
        for (;;) {
          const keys = await from.redis.cluster("GETKEYSINSLOT", slot, KEYS_AT_A_TIME);
          if (keys.length === 0) break;
          await from.redis.migrate(
            ...(["127.0.0.1", to.port, "", 0, MOVE_TIMEOUT_MS, "KEYS", ...keys] as const),
          );
        }
        for (const { redis } of await masters()) {
          await redis.call("CLUSTER", "SETSLOT", slot, "NODE", to.id);
        }
      };
    },
    async recover() {
      for (const member of members) {
        if (member.frozen) await thaw(member);
        else if (!member.isRunning()) await restart(member);
      }
      await untilWell();
    },
    untilWell,
    async close() {
      for (const { redis } of members) redis.disconnect();
      await Promise.all(
        members.map(async ({ child }) => {
          child.kill("SIGCONT");
          await endServer(child);
        }),
      );
      process.off("exit", orphanGuard);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The first half are the masters, each with a third of the slots; the others follow them in order. */
async function join(members: readonly Member[]): Promise<void> {
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [index, { redis }] of members.entries()) {
    await redis.cluster("SET-CONFIG-EPOCH", index + 1);
    if (index >= MASTERS) continue;
    await redis.cluster("ADDSLOTSRANGE", index * share, Math.min(SLOTS, (index + 1) * share) - 1);
  }
  const [first, ...others] = members;
  for (const { port } of others) {
    await first?.redis.call("CLUSTER", "MEET", "127.0.0.1", port, port + BUS_OFFSET);
  }
  await until(async () => {
    const infos = await Promise.all(members.map(({ redis }) => redis.cluster("INFO")));
    return infos.every((info) => info.includes(`cluster_known_nodes:${NODES}`));
  }, "the nodes did not meet");
  for (const [index, { redis }] of members.entries()) {
    const master = members[index - MASTERS];
    if (master !== undefined) await redis.cluster("REPLICATE", master.id);
  }
  await until(async () => {
    const infos = await Promise.all(
      members.map(async ({ redis }, index) => {
        const state = await redis.cluster("INFO");
        const replication = await redis.info("replication");
        const linked = index < MASTERS ? "connected_slaves:1" : "master_link_status:up";
        const ranges = await slotsOf(redis);
        return (
          state.includes("cluster_state:ok") &&
          replication.includes(linked) &&
          ranges.every(({ replicas }) => replicas === 1)
        );
      }),
    );
    return infos.every(Boolean);
  }, "the cluster did not become well");
}
