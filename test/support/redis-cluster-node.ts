/** One node of a test's Redis Cluster: its process, its ports, what it says of the others. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { launchServer, untilAnswering } from "../../src/platform/embedded-redis-process.ts";
import type { RedisProgram } from "../../src/platform/redis-provision.ts";

export interface ClusterNode {
  readonly port: number;
  /** Asks this node, and no other. */
  readonly redis: Redis;
  /** Of the cluster; the same over restarts. */
  readonly id: string;
  isRunning(): boolean;
}

/** The same, with what its keeper needs. */
export interface Member extends ClusterNode {
  child: ChildProcess;
  frozen: boolean;
  readonly dir: string;
  id: string;
}

const LOOK_MS = 50;
const DEADLINE_MS = 60_000;
/** Below those that are given out to outgoing connections; another as many are for the cluster's bus. */
const FIRST_PORT = 12_000;
export const BUS_OFFSET = 10_000;

export async function startMember(
  program: RedisProgram,
  dir: string,
  nodeTimeoutMs: number,
): Promise<Member> {
  await mkdir(dir);
  const port = await freePort();
  const child = launch(program, { dir, port }, nodeTimeoutMs);
  await untilAnswering(child, port, dir);
  const redis = new Redis({ host: "127.0.0.1", port, maxRetriesPerRequest: null });
  redis.on("error", () => {});
  const member: Member = {
    port,
    dir,
    child,
    redis,
    frozen: false,
    id: await redis.cluster("MYID"),
    isRunning: () => member.child.exitCode === null && member.child.signalCode === null,
  };
  return member;
}

export const launch = (
  program: RedisProgram,
  { dir, port }: { dir: string; port: number },
  nodeTimeoutMs: number,
): ChildProcess =>
  launchServer(program, {
    dir,
    port,
    appendOnly: true,
    directives: [
      ["--cluster-enabled", "yes"],
      ["--cluster-port", String(port + BUS_OFFSET)],
      ["--cluster-node-timeout", String(nodeTimeoutMs)],
      // A replica stands for election however long its master has been silent.
      ["--cluster-replica-validity-factor", "0"],
      ["--cluster-allow-replica-migration", "no"],
      ["--repl-diskless-sync-delay", "0"],
      ["--repl-ping-replica-period", "1"],
    ].flat(),
  });

interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly replicas: number;
}

/** Which node has which slots, as this one sees it. */
export async function slotsOf(redis: Redis): Promise<SlotRange[]> {
  const ranges = await redis.cluster("SLOTS");
  return ranges
    .map(([from, to, master, ...others]) => ({
      from,
      to,
      port: Number(master?.[1]),
      replicas: others.length,
    }))
    .toSorted((a, b) => a.from - b.from);
}

/** @throws Error of the complaint if it does not come to hold within a minute. */
export async function until(holds: () => Promise<boolean>, complaint: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(complaint);
    await delay(LOOK_MS);
  }
}

/** One whose counterpart for the bus is free, too. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * BUS_OFFSET);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}
