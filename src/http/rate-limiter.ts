/** Rate limits: a sliding minute per caller, counted in Redis, so that all processes share it. */
import { z } from "zod";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { loadScript, type Redis } from "../platform/redis.ts";
import { isRedisUnavailable } from "../platform/redis-failure.ts";
import { decideRate, WINDOW_MS, type RateDecision } from "./rate-decision.ts";

/** Whose requests are counted together: a service, a user, a user's subscriptions, an address. */
type RateSubjectKind = "service" | "user" | "subscribe" | "anonymous";

export interface RateSubject {
  readonly kind: RateSubjectKind;
  /** User id, or the address of someone without a token. */
  readonly id: string;
}

export interface RateLimiterOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "warn" | "info">;
  readonly enabled: boolean;
  /** Requests a minute. */
  readonly perMinute: Readonly<Record<RateSubjectKind, number>>;
}

export interface RateLimiter {
  /**
   * Counts one request; or, for a request that is counted already, the `more` that it counts as
   * beyond 1, all or nothing. `undefined`: there is no limit, or Redis is away and the request may
   * pass all the same (`failOpen`, for reads).
   * @throws what Redis failed with, unless `failOpen`.
   */
  take(subject: RateSubject, failOpen: boolean, more?: number): Promise<RateDecision | undefined>;
}

const replySchema = z.tuple([z.number(), z.number(), z.number()]);

interface Waiting {
  /** What is counted when it passes. */
  readonly cost: number;
  /** What it costs in all when it is repeated. */
  readonly needed: number;
  readonly resolve: (decision: RateDecision) => void;
  readonly reject: (error: unknown) => void;
}

/** Takes those at the head of the line that count as the same: the script knows one cost at a time. */
function takeEqual(line: Waiting[]): Waiting[] {
  const cost = line[0]?.cost;
  const end = line.findIndex((waiting) => waiting.cost !== cost);
  return line.splice(0, end < 0 ? line.length : end);
}

/**
 * While one count of a caller is on its way, that caller's further requests wait and are counted
 * together by the next: a service at full speed costs Redis a fraction of a script per request.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { redis, keyspace, clock, logger, enabled, perMinute } = options;
  const runScript = loadScript(redis, "schoolbellTakeTokens", [
    new URL("./lua/take-tokens.lua", import.meta.url),
  ]);
  const lines = new Map<string, Waiting[]>();
  let redisAway = false;

  const count = async (key: string, limit: number, line: Waiting[]): Promise<void> => {
    const batch = takeEqual(line);
    const cost = batch[0]?.cost ?? 1;
    try {
      const nowMs = clock.now();
      const reply = await runScript([key], [nowMs, WINDOW_MS, limit, batch.length, cost]);
      const [granted, current, previous] = replySchema.parse(reply);
      batch.forEach((waiting, index) => {
        // The reply counts the whole batch; each request sees what was left when its turn came.
        const later = Math.max(0, granted - index - 1) * cost;
        const counted = { limit, current: current - later, previous, needed: waiting.needed };
        waiting.resolve(decideRate(counted, index < granted, nowMs));
      });
    } catch (error) {
      // Who came later fails with them: waiting for a second time-out would double the delay.
      for (const waiting of [...batch, ...line.splice(0)]) waiting.reject(error);
    }
  };

  const serve = async (key: string, limit: number, line: Waiting[]): Promise<void> => {
    while (line.length > 0) await count(key, limit, line);
    lines.delete(key);
  };

  const take = ({ kind, id }: RateSubject, more: number | undefined): Promise<RateDecision> =>
    new Promise((resolve, reject) => {
      const waiting = { cost: more ?? 1, needed: 1 + (more ?? 0), resolve, reject };
      const key = keyspace.plain(`rate:${kind}:${id}`);
      const line = lines.get(key);
      if (line !== undefined) {
        line.push(waiting);
        return;
      }
      const opened: Waiting[] = [waiting];
      lines.set(key, opened);
      void serve(key, perMinute[kind], opened);
    });

  return {
    async take(subject, failOpen, more) {
      if (!enabled) return undefined;
      try {
        const decision = await take(subject, more);
        if (redisAway) logger.info({}, "rate_limits.back");
        redisAway = false;
        return decision;
      } catch (error) {
        if (!failOpen || !isRedisUnavailable(error)) throw error;
        if (!redisAway) logger.warn({ err: error }, "rate_limits.away_reads_pass");
        redisAway = true;
        return undefined;
      }
    },
  };
}
