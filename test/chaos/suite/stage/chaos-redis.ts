/** The run's own Redis, and everything that can happen to it. */
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Keyspace } from "../../../../src/platform/keyspace.ts";
import { startRedisServer } from "../../../trace/redis-server.ts";
import { ROLLBACK_DIRECTIVES, truncateTo } from "./redis-rollback.ts";
import { startWaterMark } from "./redis-water-mark.ts";

export interface Survival {
  /**
   * Epoch ms of the runner's clock. What Redis did at or before it is there; what came after may be
   * gone. Undefined if nothing that Redis had acknowledged is missing.
   */
  readonly survivedUntil: number | undefined;
}

export interface ChaosRedis {
  readonly url: string;
  /**
   * SIGKILL: no goodbye. With `appendfsync everysec` up to 2 s of what it acknowledged die with it: it
   * answers first and writes later while a sync to the disk is under way. `restart` tells.
   */
  kill(): Promise<void>;
  /** In good order. */
  stop(): Promise<void>;
  /** With the data it had, at the same address. */
  restart(): Promise<Survival>;
  /** It keeps its connections and answers nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /**
   * Killed, taken back to the end of this second, and started again.
   * @param epochSeconds of the runner's clock
   * @throws Error if there was nothing to take back, or nothing as old as that; it runs again then
   */
  rollBack(epochSeconds: number): Promise<{ readonly survivedUntil: number }>;
  /**
   * Sets its limit so that what it holds is this share of it: above 1, writes are refused. Undone by
   * a restart as well.
   * @param share such as 0.95 or 1.5
   */
  fill(share: number): Promise<void>;
  unfill(): Promise<void>;
  /** Does nothing for `stallMs`, then answers for `everyMs`, and so on until `unstall`. */
  stall(stallMs: number, everyMs: number): void;
  unstall(): Promise<void>;
  /** Bytes. */
  usedMemory(): Promise<number>;
  /** Notes that have not come to an end. */
  unsettled(keyspace: Keyspace): Promise<number>;
  close(): Promise<void>;
}

const RETRY_MS = 20;
/** A frozen one does not answer before it is killed. */
const LAST_WORD_MS = 50;
const NO_LIMIT = 0;

export interface ChaosRedisOptions {
  readonly announce: (line: string) => void;
  /** Further settings in the form of arguments. */
  readonly directives?: readonly string[];
  /** Further variables, such as those of a clock that can be stepped. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startChaosRedis(options: ChaosRedisOptions): Promise<ChaosRedis> {
  const { announce, directives = [], env = {} } = options;
  const server = await startRedisServer(announce, {
    directives: [...ROLLBACK_DIRECTIVES, "--enable-debug-command", "local", ...directives],
    env,
  });
  const admin = connectPatiently(server.url);
  const mark = startWaterMark(server.url);
  let stalls: { readonly end: () => Promise<void> } | undefined;

  async function kill(): Promise<void> {
    // The younger the last mark, the more exactly it tells what died with the process.
    await Promise.race([mark.suspend(), delay(LAST_WORD_MS)]);
    await server.end("kill");
    await mark.suspend();
  }

  async function restart(): Promise<Survival> {
    const expected = mark.acknowledged();
    await server.restart();
    const held = await mark.read();
    mark.resume();
    if (expected === undefined || (held !== undefined && held >= expected)) {
      return { survivedUntil: undefined };
    }
    return { survivedUntil: held ?? 0 };
  }

  /** How much its clock is ahead of ours; 0 if it does not say. */
  async function clockAheadMs(): Promise<number> {
    const answer = await Promise.race([admin.time(), delay(LAST_WORD_MS)]);
    if (!Array.isArray(answer)) return 0;
    const [seconds, microseconds] = answer.map(Number);
    return (seconds ?? 0) * 1_000 + (microseconds ?? 0) / 1_000 - Date.now();
  }

  return {
    url: server.url,
    kill,
    restart,
    async stop() {
      await mark.suspend();
      await server.end("stop");
    },
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    async rollBack(epochSeconds) {
      const aheadMs = await clockAheadMs();
      await kill();
      const newest = mark.acknowledged() ?? 0;
      let cut: boolean;
      let survival: Survival;
      try {
        cut = await truncateTo(server, epochSeconds + Math.round(aheadMs / 1_000));
      } finally {
        survival = await restart();
      }
      // Where what came later died with the process, the kill alone took it back.
      if (!cut && survival.survivedUntil === undefined) {
        throw new Error(`Redis did nothing after ${epochSeconds}: no roll-back`);
      }
      // Less than one interval of marks was cut off; what came in it is told by no mark.
      return { survivedUntil: survival.survivedUntil ?? newest };
    },
    async fill(share) {
      const limit = Math.floor((await usedMemory(admin)) / share);
      await admin.config("SET", "maxmemory", limit);
    },
    async unfill() {
      await admin.config("SET", "maxmemory", NO_LIMIT);
    },
    stall(stallMs, everyMs) {
      stalls ??= startStalling(server.url, stallMs, everyMs);
    },
    async unstall() {
      await stalls?.end();
      stalls = undefined;
    },
    usedMemory: async () => await usedMemory(admin),
    async unsettled(keyspace) {
      const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);
      const counts = await Promise.all(
        shards.map(async (shard) => await admin.zcard(keyspace.sharded(shard, "due"))),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async close() {
      server.thaw();
      admin.disconnect();
      await Promise.all([stalls?.end(), mark.close()]);
      await server.close();
    },
  };
}

async function usedMemory(redis: Redis): Promise<number> {
  const found = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  if (found === undefined) throw new Error("Redis does not say how much memory it uses");
  return Number(found);
}

/** Waits for a Redis that is away. */
function connectPatiently(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: () => RETRY_MS, maxRetriesPerRequest: null });
  redis.on("error", () => {});
  return redis;
}

function startStalling(url: string, stallMs: number, everyMs: number) {
  const redis = new Redis(url, {
    retryStrategy: () => RETRY_MS,
    // One that died in its sleep does not sleep again when it is back.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  });
  redis.on("error", () => {});
  const ending = new AbortController();
  const { signal } = ending;
  const running = (async () => {
    while (!signal.aborted) {
      await redis.call("DEBUG", "SLEEP", stallMs / 1_000).catch(() => {});
      await delay(everyMs, undefined, { signal }).catch(() => {});
    }
  })();
  return {
    async end() {
      ending.abort();
      redis.disconnect();
      await running;
    },
  };
}
