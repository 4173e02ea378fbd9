/**
 * How the providers are doing, told to Redis by each process that sends, so that `/health` of any
 * process can say so.
 */
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import type { Redis } from "../../platform/redis.ts";
import type { ProviderHealth } from "./breakers.ts";

const CENSUS_KEY = "providers";
const TELL_MS = 5_000;
/** Three missed tellings: the process is gone. */
const STALE_MS = 15_000;

const healthSchema = z.object({
  state: z.enum(["healthy", "degraded", "unhealthy"]),
  open: z.number().int(),
  // A word that a newer version has is no news here.
  reason: z.enum(["keys_refused"]).optional().catch(undefined),
});
const entrySchema = z.object({ at: z.number(), push: healthSchema, sms: healthSchema });

export interface ProvidersHealth {
  readonly push: ProviderHealth;
  readonly sms: ProviderHealth;
}

interface CensusDeps {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
}

export interface BreakerTelling {
  start(): void;
  /** Something changed: told at once. */
  tell(): void;
  close(): Promise<void>;
}

/** Tells about this process until it is closed. */
export function createBreakerTelling(
  deps: CensusDeps & {
    readonly clock: Clock;
    readonly nodeId: string;
    readonly health: () => ProvidersHealth;
  },
): BreakerTelling {
  const { redis, keyspace, clock, nodeId } = deps;
  const key = keyspace.plain(CENSUS_KEY);
  let cancel = (): void => {};

  function tell(): void {
    redis.hset(key, nodeId, JSON.stringify({ at: clock.now(), ...deps.health() })).catch(() => {
      // Redis is away, which health says anyway; the next telling is soon.
    });
  }

  return {
    tell,
    start() {
      tell();
      cancel = clock.every(TELL_MS, tell);
    },
    async close() {
      cancel();
      // Redis may be away by then: what nobody tells of any more is left out.
      await redis.hdel(key, nodeId).catch(() => 0);
    },
  };
}

/** What one process finds may be its own network's fault: only what all find is said of all. */
function together(found: readonly ProviderHealth[]): ProviderHealth {
  const states = new Set(found.map(({ state }) => state));
  const [only = "healthy"] = states;
  const reason = found.find((one) => one.reason !== undefined)?.reason;
  return {
    state: states.size > 1 ? "degraded" : only,
    open: Math.max(0, ...found.map(({ open }) => open)),
    ...(reason === undefined ? {} : { reason }),
  };
}

/**
 * How all living processes find the providers; healthy where nobody tells.
 * @throws when Redis does not answer.
 */
export async function readBreakerCensus(
  deps: CensusDeps & { readonly clock: Pick<Clock, "now"> },
): Promise<ProvidersHealth> {
  const { redis, keyspace, clock } = deps;
  const key = keyspace.plain(CENSUS_KEY);
  const entries = Object.entries(await redis.hgetall(key)).map(([node, text]) => ({
    node,
    ...entrySchema.parse(JSON.parse(text)),
  }));
  const living = entries.filter(({ at }) => clock.now() - at <= STALE_MS);
  // A killed process cannot remove its own entry, so that whoever reads tidies up.
  const gone = entries.filter((entry) => !living.includes(entry)).map(({ node }) => node);
  if (gone.length > 0) await redis.hdel(key, ...gone);
  return {
    push: together(living.map(({ push }) => push)),
    sms: together(living.map(({ sms }) => sms)),
  };
}
