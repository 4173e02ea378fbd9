/**
 * How fast SMS go to one provider, over all workers: so many segments a second, as it sells them. A
 * message that comes too soon is given a place in a line and told when its turn is; critical ones have
 * a line of their own, which goes first.
 */
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import { loadScript, type Redis } from "../../platform/redis.ts";

export interface SmsTurn {
  readonly noteId: string;
  readonly segments: number;
  readonly isCritical: boolean;
}

export interface SmsThroughput {
  /** Undefined where it is the message's turn; else when to ask again, epoch ms. */
  take(turn: SmsTurn): Promise<number | undefined>;
}

export interface SmsThroughputOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Pick<Clock, "now">;
  /** One name for each provider. */
  readonly provider: string;
  readonly segmentsPerSecond: number;
}

/**
 * What may go at once after a pause, in each of the two lines: two messages of two segments, or what
 * is sent in two seconds. The critical line's is the share that is kept for it.
 */
const LEAST_BURST = 4;
const BURST_SECONDS = 2;
/** Who does not come back for its turn within this has expired, was cancelled, or went elsewhere. */
const KEPT_MS = 600_000;

export function createSmsThroughput(options: SmsThroughputOptions): SmsThroughput {
  const { redis, keyspace, clock, provider, segmentsPerSecond } = options;
  const runScript = loadScript(redis, "schoolbellTakeSmsTurn", [
    new URL("./lua/take-turn.lua", import.meta.url),
  ]);
  // One tag: in a cluster the three must lie together.
  const tag = `{sms-line-${provider}}`;
  const keys = ["state", "places", "critical"].map((name) => keyspace.plain(`${tag}:${name}`));
  const burst = Math.max(LEAST_BURST, BURST_SECONDS * segmentsPerSecond);

  return {
    async take({ noteId, segments, isCritical }) {
      const now = clock.now();
      const critical = isCritical ? 1 : 0;
      const words = [now, segmentsPerSecond, segments, critical, noteId, burst, KEPT_MS];
      const waitMs = z.number().parse(await runScript(keys, words));
      return waitMs === 0 ? undefined : now + waitMs;
    },
  };
}

/** Where nothing is to be slowed down: the outbox, a load test. */
export const UNLIMITED_THROUGHPUT: SmsThroughput = { take: async () => undefined };
