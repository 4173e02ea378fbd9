/** What `/health` says: gathered from Redis, the queues and this process. */
import type { HealthReport, HealthSource, HealthState } from "../http/health.ts";
import { readBreakerCensus, type ProvidersHealth } from "../channels/breaker/breaker-census.ts";
import { isBeingMoved } from "../platform/redis-failure.ts";
import { readReaderCensus, type ReaderState } from "../platform/kafka/reader-census.ts";
import { readGatewayCensus } from "../tracking/presence.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";

/** A Redis slower than this is not healthy, whatever it answers in the end. */
const PING_TIMEOUT_MS = 500;
/** Of the depth at which new work is refused. */
const DEGRADED_SHARE = 0.8;

export interface HealthParts {
  readonly foundation: Foundation;
  readonly parts: Pick<DeliveryParts, "ledger">;
  /** Whether messages for this process's gateway arrive; undefined without that role. */
  readonly gatewaySubscribed: (() => boolean) | undefined;
  readonly pushEnabled: boolean;
  readonly sms: "providers" | "outbox" | "disabled";
}

/**
 * In a cluster one node says nothing of the others: each shard is asked for something. One that is being
 * moved refuses, which is an answer: for its sake nobody is to be taken out of the balancer.
 */
async function ask({ redis, keyspace }: Foundation): Promise<void> {
  if (!redis.isCluster) return void (await redis.ping());
  const keys = Array.from({ length: keyspace.shards }, (_, shard) =>
    keyspace.sharded(shard, "gen"),
  );
  await Promise.all(
    keys.map((key) =>
      redis.exists(key).catch((error: unknown) => {
        if (!isBeingMoved(error)) throw error;
      }),
    ),
  );
}

/** True if Redis, all of it, answers in time. */
export async function redisAnswers(foundation: Foundation): Promise<boolean> {
  const { redis, clock } = foundation;
  if (redis.status !== "ready") return false;
  return await new Promise<boolean>((resolve) => {
    const cancel = clock.after(PING_TIMEOUT_MS, () => resolve(false));
    ask(foundation).then(
      () => {
        cancel();
        resolve(true);
      },
      () => {
        cancel();
        resolve(false);
      },
    );
  });
}

/** Without a reader of teacher events nothing of Kafka arrives; projectors are not everybody's. */
function stateOfKafka(readers: ReadonlyMap<string, ReaderState>): HealthState {
  const states = [readers.get("ingest") ?? "connecting", ...readers.values()];
  if (states.includes("connecting")) return "unhealthy";
  return states.includes("paused") ? "degraded" : "healthy";
}

export function createHealthSource(options: HealthParts): HealthSource {
  const { foundation, parts } = options;
  const { config, redis, keyspace, clock } = foundation;

  /** As the workers find them. */
  const servicesOf = (redisState: HealthState, providers?: ProvidersHealth) => {
    const subscribed = options.gatewaySubscribed?.() ?? true;
    return {
      services: {
        websocket: subscribed && redisState === "healthy" ? "healthy" : "unhealthy",
        push: options.pushEnabled ? (providers?.push.state ?? "healthy") : "disabled",
        sms: options.sms === "disabled" ? "disabled" : (providers?.sms.state ?? "healthy"),
        // Templates that cannot be read stop the process at start.
        templates: "healthy",
      },
      open_breakers: { push: providers?.push.open ?? 0, sms: providers?.sms.open ?? 0 },
      push_reason: providers?.push.reason ?? null,
    } as const;
  };

  function report(redisState: HealthState, known: Partial<HealthReport>): HealthReport {
    return {
      total_connections: 0,
      active_users: 0,
      average_duration_seconds: 0,
      replay_sequence: 0,
      redis: redisState,
      ...servicesOf(redisState),
      queue: redisState,
      kafka: config.KAFKA_BOOTSTRAP_SERVERS === undefined ? "disabled" : "unhealthy",
      outbox: options.sms === "outbox",
      ...known,
    };
  }

  return {
    async read() {
      if (!(await redisAnswers(foundation))) return report("unhealthy", {});
      const [census, replaySequence, depth, readers, providers] = await Promise.all([
        readGatewayCensus({ redis, keyspace, clock }),
        parts.ledger.sequenced(),
        parts.ledger.depth(),
        readReaderCensus({ redis, keyspace, clock }),
        readBreakerCensus({ redis, keyspace, clock }),
      ]);
      const crowded = depth > config.MAX_QUEUE_DEPTH * DEGRADED_SHARE;
      return report("healthy", {
        ...census,
        ...servicesOf("healthy", providers),
        replay_sequence: replaySequence,
        queue: crowded ? "degraded" : "healthy",
        ...(config.KAFKA_BOOTSTRAP_SERVERS === undefined ? {} : { kafka: stateOfKafka(readers) }),
      });
    },
  };
}
