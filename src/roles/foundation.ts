/** What every role stands on: Redis, the clock, keys, logs, metrics. */
import { randomUUID } from "node:crypto";
import { createSystemClock, type Clock } from "../platform/clock.ts";
import { keepClockOnRedisTime } from "../platform/clock-sync.ts";
import type { Config } from "../platform/config-schema.ts";
import { ConfigError } from "../platform/config.ts";
import { createKeyspace, type Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { createMetrics, type Metrics } from "../platform/metrics.ts";
import { connectCluster } from "../platform/redis-cluster.ts";
import { createClusterSubscriber } from "../platform/redis-cluster-subscriber.ts";
import { checkRedisSettings } from "../platform/redis-settings.ts";
import { findRedis, waitForMasters, waitForRedis } from "../platform/redis-wait.ts";
import { watchSubscriber } from "../platform/subscriber-watch.ts";
import { connectRedis, type Redis, type Subscriber } from "../platform/redis.ts";
import type { Resources } from "../platform/resources.ts";
import { createSealing, type Sealing } from "../platform/sealing.ts";
import type { FormatRange } from "../contract/versions.ts";
import { openSideBySide, type SideBySide } from "./side-by-side.ts";

/** Secrets: from the environment in production, made on first start in development. */
export interface Secrets {
  readonly jwtSecrets: readonly string[];
  readonly vapid: { readonly publicKey: string; readonly privateKey: string } | undefined;
}

export interface Foundation {
  readonly config: Config;
  readonly secrets: Secrets;
  /** This process, in Redis channels and logs. */
  readonly nodeId: string;
  readonly redis: Redis;
  /** A further connection, closed with everything else. */
  readonly connect: (name: string, kind: "command" | "blocking") => Promise<Redis>;
  /** One that listens. */
  readonly subscribe: (name: string) => Promise<Subscriber>;
  readonly keyspace: Keyspace;
  readonly sealing: Sealing;
  readonly sideBySide: SideBySide;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly resources: Resources;
  /** For what a part cannot recover from by itself: the process stops, and is started anew. */
  readonly onFatal: (error: unknown) => void;
}

export interface FoundationOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly redisUrl: string;
  readonly logger: Logger;
  readonly resources: Resources;
  readonly onFatal: (error: unknown) => void;
  /** For tests of versions to come: the forms of the ledger that this process reads. */
  readonly formats?: FormatRange;
}

/** @throws ConfigError if this process would disagree with the others about what lies where. */
export async function openFoundation(options: FoundationOptions): Promise<Foundation> {
  const { config, logger, resources, redisUrl } = options;
  const place = await findRedis(redisUrl, (redis) => waitForRedis(redis, logger));
  const connect: Foundation["connect"] = async (name, kind) => {
    const redis =
      place.kind === "cluster" ? connectCluster(place, kind) : connectRedis(place.url, kind);
    resources.add(`redis ${name}`, () => redis.disconnect());
    await waitForRedis(redis, logger);
    return redis;
  };
  const subscribe: Foundation["subscribe"] = async (name) => {
    const subscriber =
      place.kind === "cluster"
        ? createClusterSubscriber(place)
        : connectRedis(place.url, "subscriber");
    resources.add(`redis ${name}`, () => subscriber.disconnect());
    await waitForRedis("topology" in subscriber ? subscriber.topology : subscriber, logger);
    const endWatch = watchSubscriber({ subscriber, clock, log: logger });
    resources.add(`watch of redis ${name}`, endWatch);
    return subscriber;
  };
  const redis = await connect("commands", "command");
  await waitForMasters(redis, logger);
  const keyspace = createKeyspace({ shards: config.SHARDS, prefix: config.KEY_PREFIX });
  await agreeOnShards(redis, keyspace);
  await assertSuitable(redis, config, logger);
  const clock = createSystemClock();
  await keepClockOnRedisTime({ redis, clock, resources, logger });
  const nodeId = randomUUID().slice(0, 8);
  const metrics = createMetrics({ processMetrics: config.NODE_ENV !== "test" });
  const sideBySide = await openSideBySide({
    redis,
    keyspace,
    clock,
    logger,
    metrics,
    resources,
    nodeId,
    range: options.formats,
  });
  return {
    config,
    secrets: options.secrets,
    nodeId,
    redis,
    connect,
    subscribe,
    keyspace,
    sealing: createSealing(...(config.DATA_ENCRYPTION_KEY ?? [])),
    sideBySide,
    clock,
    logger,
    metrics,
    resources,
    onFatal: options.onFatal,
  };
}

/** Two processes with different shard counts would look for the same user in different places. */
async function agreeOnShards(redis: Redis, keyspace: Keyspace): Promise<void> {
  const key = keyspace.plain("shards");
  await redis.setnx(key, keyspace.shards);
  const stored = Number(await redis.get(key));
  if (stored !== keyspace.shards) {
    throw new ConfigError(
      `SHARDS is ${keyspace.shards}, but this Redis was set up with ${stored}; set SHARDS=${stored}`,
    );
  }
}

async function assertSuitable(redis: Redis, config: Config, logger: Logger): Promise<void> {
  const faults = await checkRedisSettings(redis);
  if (faults.length === 0) return;
  if (config.NODE_ENV === "production") {
    throw new ConfigError(
      `Redis is not set up to keep what is accepted:\n  ${faults.join("\n  ")}`,
    );
  }
  for (const fault of faults) logger.warn({ fault }, "redis setting");
}
