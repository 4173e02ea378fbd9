/** Redis dies, comes back with older data, stands still, or has no room. */
import { setTimeout as delay } from "node:timers/promises";
import type { ChaosCluster } from "../stage/chaos-cluster.ts";
import type { ChaosRedis } from "../stage/chaos-redis.ts";
import type { Fault, Scene } from "./fault.ts";

const MIN_AWAY_MS = 500;
const MAX_AWAY_MS = 5_000;
/** How far it is taken back: behind what had been accepted, sent and settled by then. */
const MIN_BACK_SECONDS = 2;
const MAX_BACK_SECONDS = 8;
const SECOND_MS = 1_000;

/** Above the product's own limit, where it refuses by itself; above Redis' own, where that does. */
const NEARLY_FULL = 0.95;
const OVERFULL = 1.5;
const STALL_MS = 700;
const BETWEEN_STALLS_MS = 300;

const DRAWS = 1_000;

function serverOf(store: Scene["store"]): ChaosRedis {
  if (store.kind !== "single") throw new Error("this fault is one of a single Redis");
  return store.server;
}

function clusterOf(store: Scene["store"]): ChaosCluster {
  if (store.kind !== "cluster") throw new Error("this fault is one of a Redis Cluster");
  return store.cluster;
}

/** SIGKILL and a restart with what the append-only file holds: nothing may be missing. */
export const redisKill: Fault = {
  path: "websocket",
  needs: "single",
  async strike({ store, random, now, wasRestored }) {
    const redis = serverOf(store);
    await redis.kill();
    await delay(random.whole(MIN_AWAY_MS, MAX_AWAY_MS));
    const { survivedUntil } = await redis.restart();
    const liftedAt = now();
    // It answers before it writes where a sync to the disk takes long, and says so in its manual.
    if (survivedUntil !== undefined) wasRestored({ survivedUntil, restoredAt: liftedAt });
    return { liftedAt };
  },
};

/** As after a restore, or where the disk lost what had not been flushed. */
export const redisRollback: Fault = {
  path: "websocket",
  needs: "single",
  alone: true,
  async strike({ store, random, now, wasRestored }) {
    const redis = serverOf(store);
    const back = random.whole(MIN_BACK_SECONDS, MAX_BACK_SECONDS);
    const to = Math.floor(now() / SECOND_MS) - back;
    const { survivedUntil } = await redis.rollBack(to);
    const liftedAt = now();
    wasRestored({ survivedUntil, restoredAt: liftedAt });
    return { liftedAt };
  },
};

/** It keeps its connections and answers nothing. */
export const redisFrozen: Fault = {
  path: "websocket",
  needs: "single",
  async strike({ store, random, now }) {
    const redis = serverOf(store);
    redis.freeze();
    await delay(random.whole(MIN_AWAY_MS, MAX_AWAY_MS));
    redis.thaw();
    return { liftedAt: now() };
  },
};

/** It reads, and refuses each write. */
export const redisFull: Fault = {
  path: "websocket",
  needs: "single",
  async strike({ store, random, now }) {
    const redis = serverOf(store);
    await redis.fill(random.pick([NEARLY_FULL, OVERFULL]));
    await delay(random.whole(MIN_AWAY_MS, MAX_AWAY_MS));
    await redis.unfill();
    return { liftedAt: now() };
  },
};

/** It answers in bursts, as one does that shares its processor or its disk. */
export const redisStalls: Fault = {
  path: "websocket",
  needs: "single",
  async strike({ store, random, now }) {
    const redis = serverOf(store);
    redis.stall(STALL_MS, BETWEEN_STALLS_MS);
    await delay(random.whole(MIN_AWAY_MS, 2 * MAX_AWAY_MS));
    await redis.unstall();
    return { liftedAt: now() };
  },
};

/** An operator moves a master's part to its replica; nothing may be missing. */
export const plannedFailover: Fault = {
  path: "websocket",
  needs: "cluster",
  async strike({ store, random, now }) {
    await clusterOf(store).failover(random.whole(0, DRAWS));
    return { liftedAt: now() };
  },
};

/** A master is gone; its replica takes over, without what it had not been told. */
export function masterLost(how: "killMaster" | "freezeMaster"): Fault {
  return {
    path: "websocket",
    needs: "cluster",
    async strike({ store, random, now, wasRestored }) {
      const cluster = clusterOf(store);
      const { survivedUntil } = await cluster[how](random.whole(0, DRAWS));
      const liftedAt = now();
      await cluster.recover();
      wasRestored({ survivedUntil, restoredAt: now() });
      return { liftedAt };
    },
  };
}
