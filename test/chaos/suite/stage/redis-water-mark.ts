/**
 * How far what Redis holds reaches back in time, told by Redis itself: a key that is set to the time
 * again and again. Redis keeps its commands in order, so whatever was done at or before the time that
 * it still holds after a loss is still there too, whatever its own clock said.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

export interface WaterMark {
  /** Epoch ms of the newest mark that Redis said it had; undefined before the first. */
  acknowledged(): number | undefined;
  /**
   * Sets a last one, and then no more, so that a Redis that comes back is found as it came back.
   * Resolves when Redis has it, or is dead.
   */
  suspend(): Promise<void>;
  resume(): void;
  /** Epoch ms that Redis holds now; undefined if it holds none. Waits until Redis answers. */
  read(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** What is lost is known to about this much; a mark takes Redis some 2 us. */
const INTERVAL_MS = 20;
const RETRY_MS = 20;
/** Outside the product's keys. */
const DEFAULT_KEY = "chaos:water-mark";

/** @param key one of the same node, where the server is one of a cluster */
export function startWaterMark(url: string, key = DEFAULT_KEY): WaterMark {
  const redis = new Redis(url, {
    retryStrategy: () => RETRY_MS,
    // One that Redis died over fails at once, and is not sent to the Redis that comes back.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  });
  redis.on("error", () => {});
  let acknowledged: number | undefined;
  let running: Promise<void> | undefined;
  let stopping = new AbortController();

  async function setOnce(): Promise<void> {
    // Taken before it is sent: Redis does it then or later, so what was done by then comes before.
    const now = Date.now();
    await redis.set(key, now);
    acknowledged = now;
  }

  async function keepSetting({ signal }: AbortController): Promise<void> {
    while (!signal.aborted) {
      // Redis may be dead, full or loading; the mark stays where it is, which is on the safe side.
      if (redis.status === "ready") await setOnce().catch(() => {});
      await delay(INTERVAL_MS, undefined, { signal }).catch(() => {});
    }
    if (redis.status === "ready") await setOnce().catch(() => {});
  }

  const mark: WaterMark = {
    acknowledged: () => acknowledged,
    async suspend() {
      stopping.abort();
      await running;
      running = undefined;
    },
    resume() {
      stopping = new AbortController();
      running ??= keepSetting(stopping);
    },
    async read() {
      while (redis.status !== "ready") await once(redis, "ready");
      const held = await redis.get(key);
      return held === null ? undefined : Number(held);
    },
    async close() {
      stopping.abort();
      redis.disconnect();
      await running;
    },
  };
  mark.resume();
  return mark;
}
