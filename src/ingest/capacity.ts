/** Refuses new work before the store is too full to finish what it has. */
import type { Clock } from "../platform/clock.ts";
import { Problem } from "../platform/problems.ts";
import { mastersOf } from "../platform/redis-cluster.ts";
import type { Redis } from "../platform/redis.ts";

/** Of `maxmemory`: what is in flight still needs room to settle. */
const MEMORY_SHARE = 0.9;
/** A look at Redis serves all requests of a second. */
const FRESH_MS = 1_000;
/** Until then the last look still serves while the next is under way: nobody waits for it at load. */
const USABLE_MS = 2_000;
const RETRY_SECONDS = 5;

function isNearlyFull(memory: string): boolean {
  const used = Number(/used_memory:(\d+)/.exec(memory)?.[1] ?? 0);
  const limit = Number(/maxmemory:(\d+)/.exec(memory)?.[1] ?? 0);
  return limit > 0 && used > limit * MEMORY_SHARE;
}

export function createCapacity(options: {
  readonly redis: Redis;
  readonly depth: () => Promise<number>;
  /** Outcomes that wait to be sent: they pile up while Kafka is away. */
  readonly outcomeBacklog: () => Promise<number>;
  /** Of each of the two. */
  readonly maxDepth: number;
  readonly clock: Clock;
}): { assertRoom(): Promise<void> } {
  const { redis, clock } = options;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let refusal: string | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const [memory, depth, backlog] = await Promise.all([
      Promise.all(mastersOf(redis).map((server) => server.info("memory"))),
      options.depth(),
      options.outcomeBacklog(),
    ]);
    refusal = undefined;
    if (memory.some(isNearlyFull)) refusal = "Storage is nearly full.";
    if (depth > options.maxDepth) refusal = "Too many notifications wait to be delivered.";
    if (backlog > options.maxDepth) refusal = "Too many outcomes wait to be sent to Kafka.";
    lookedAt = clock.now();
  }

  return {
    async assertRoom() {
      const ageMs = clock.now() - lookedAt;
      if (ageMs >= FRESH_MS) {
        looking ??= look().finally(() => {
          looking = undefined;
        });
        if (ageMs >= USABLE_MS) await looking;
        // Whoever goes on meanwhile meets the same fault at its own next command.
        else looking.catch(() => {});
      }
      if (refusal !== undefined) {
        throw new Problem("unavailable", refusal, { retryAfterSeconds: RETRY_SECONDS });
      }
    },
  };
}
