/** What can go wrong in the middle of a replay, each told from how far it has come. */
import { setTimeout as delay } from "node:timers/promises";
import { eventIdOf } from "./account.ts";
import { openBooks } from "./books.ts";
import type { Part } from "./cast.ts";
import { TEACHER_TOPICS } from "./catalog.ts";
import type { RedisServer } from "./redis-server.ts";
import type { Scene } from "./replay.ts";
import type { Offsets } from "./stream.ts";
import { isObject, textOf } from "./trace-record.ts";

export const FAULT_NAMES = [
  "redis-stop",
  "broker-restart",
  "ingest-kill",
  "projector-kill",
  "rebalance",
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

interface Announcing {
  readonly announce: (line: string) => void;
}

interface RedisTools extends Announcing {
  readonly redis: RedisServer;
  /** Resolves when Redis has been away for long enough. */
  readonly whileRedisIsAway: (scene: Scene) => Promise<void>;
}

interface BrokerTools extends Announcing {
  /** Undefined where the broker is not ours to stop. */
  readonly broker: { stop(): Promise<void>; start(): Promise<void> } | undefined;
}

export type FaultTools = RedisTools & BrokerTools;

/** Shares of what is to be shown at which a process dies. */
const KILL_AT = [0.1, 0.4, 0.7] as const;
const STOP_AT = 0.2;
const LEAVE_AT = 0.5;
const POLL_MS = 50;

export const FAULTS = {
  "redis-stop": stopRedis,
  "broker-restart": restartBroker,
  "ingest-kill": (scene: Scene, tools: Announcing) => killAndRestart("ingest", scene, tools),
  "projector-kill": (scene: Scene, tools: Announcing) => killAndRestart("projector", scene, tools),
  rebalance,
} satisfies Readonly<Record<FaultName, (scene: Scene, tools: FaultTools) => Promise<void>>>;

/**
 * While Redis is away no offset moves, and what was committed before lies in what it has on disk.
 * @throws Error if an offset was committed that the ledger does not hold
 */
async function stopRedis(scene: Scene, { redis, whileRedisIsAway, announce }: RedisTools) {
  await scene.reached(STOP_AT);
  await redis.end("stop");
  announce("Redis is stopped");
  const longEnough = whileRedisIsAway(scene);
  const committed = await untilStill(scene);
  const copy = await redis.copy();
  try {
    await assertInLedger(scene, committed, copy.url);
  } finally {
    await copy.close();
  }
  await longEnough;
  const after = await scene.stream.committed(scene.cast.groups.ingest);
  for (const [name, offset] of after) {
    if (offset !== (committed.get(name) ?? 0n)) {
      throw new Error(`${name} was committed up to ${offset} while Redis was away`);
    }
  }
  await redis.restart();
  announce("Redis is back");
}

/** A commit that was under way when Redis stopped arrives a moment later. */
async function untilStill({ stream, cast }: Scene): Promise<Offsets> {
  let before = "";
  for (let same = 0; ;) {
    const committed = await stream.committed(cast.groups.ingest);
    const now = [...committed].join(" ");
    same = now === before ? same + 1 : 0;
    if (same === 10) return committed;
    before = now;
    await delay(POLL_MS);
  }
}

async function assertInLedger(scene: Scene, committed: Offsets, redisUrl: string): Promise<void> {
  const { stream, expected, keyspace, topicPrefix } = scene;
  const verdicts = new Map(expected.map((one) => [eventIdOf(one), one.verdict]));
  const books = openBooks(redisUrl, keyspace);
  try {
    const held = new Set((await books.entries()).map(({ eventId }) => eventId));
    const records = await stream.read(TEACHER_TOPICS);
    const missing = records.filter(({ topic, partition, offset, value }) => {
      if (offset >= (committed.get(`${topicPrefix}${topic}:${partition}`) ?? 0n)) return false;
      const id = eventIdIn(value);
      const verdict = verdicts.get(id);
      if (verdict !== "delivered" && verdict !== "expired") return false;
      return id !== undefined && !held.has(id);
    });
    if (missing.length > 0) {
      throw new Error(`${missing.length} records are committed and not in the ledger`);
    }
  } finally {
    books.close();
  }
}

function eventIdIn(value: string | null): string | undefined {
  try {
    const event: unknown = JSON.parse(value ?? "null");
    return isObject(event) ? textOf(event, "event_id") : undefined;
  } catch {
    return undefined;
  }
}

async function restartBroker(scene: Scene, { broker, announce }: BrokerTools): Promise<void> {
  if (broker === undefined) throw new Error("the broker is not ours to restart");
  // Our own producer is not what is tried here.
  await scene.produced;
  await scene.reached(STOP_AT);
  announce("the broker is stopped");
  await broker.stop();
  await broker.start();
  announce("the broker is back");
}

async function killAndRestart(part: Part, scene: Scene, { announce }: Announcing) {
  const { cast } = scene;
  for (const share of KILL_AT) {
    await scene.reached(share);
    const [victim] = cast.running(part);
    if (victim === undefined) throw new Error(`no ${part} process runs`);
    await cast.end(victim, "kill");
    announce(`${part} killed at ${share * 100}%`);
    await cast.start(part);
  }
}

/** A third member comes, a second one goes, while records flow. */
async function rebalance(scene: Scene, { announce }: Announcing): Promise<void> {
  const { cast } = scene;
  await scene.reached(STOP_AT);
  const [first] = cast.running("ingest");
  await cast.start("ingest");
  announce("one more ingest process came");
  await scene.reached(LEAVE_AT);
  if (first !== undefined) await cast.end(first, "stop");
  announce("one ingest process went");
}
