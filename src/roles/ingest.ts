/** The ingest role: takes in what services ask for by Kafka, and on Redis channels where that is on. */
import type { Accept } from "../ingest/accept.ts";
import { paceByDelivery } from "../ingest/delivery-pace.ts";
import { createEventIntake } from "../ingest/event-intake.ts";
import { createRedisBridge } from "../ingest/redis-bridge.ts";
import type { OwnerIndex } from "../projectors/owner-index.ts";
import { createListDepth } from "../queue/list-depth.ts";
import type { ContentParts } from "./content-parts.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";
import type { KafkaParts } from "./kafka-parts.ts";

const SECOND_MS = 1_000;

export interface IngestRoleDeps {
  readonly foundation: Foundation;
  readonly parts: Pick<DeliveryParts, "audit">;
  readonly content: ContentParts;
  readonly accept: Accept;
  readonly owners: Pick<OwnerIndex, "ownersOf">;
  readonly kafka: KafkaParts | undefined;
}

export async function startIngestRole(deps: IngestRoleDeps): Promise<void> {
  if (deps.foundation.config.REDIS_BRIDGE) await startBridge(deps);
  if (deps.kafka !== undefined) await readEvents(deps, deps.kafka);
}

async function startBridge({ foundation, parts, content, accept }: IngestRoleDeps): Promise<void> {
  const { config, logger, metrics, resources } = foundation;
  const bridge = createRedisBridge({
    redis: await foundation.subscribe("bridge"),
    accept,
    logger,
    audit: parts.audit,
    templates: content.templates,
    exposeStorageIds: config.EXPOSE_STORAGE_IDS,
    onMessage: (_channel, outcome) =>
      metrics.events.inc({
        role: "bridge",
        outcome: outcome.kind,
        reason: outcome.kind === "dropped" ? outcome.reason : "",
      }),
  });
  resources.add("redis bridge", () => bridge.close());
  await bridge.start();
}

async function readEvents(deps: IngestRoleDeps, kafka: KafkaParts): Promise<void> {
  const { foundation, parts, content, accept, owners } = deps;
  const { config, clock, logger, metrics } = foundation;
  const generalTopic = kafka.topic(config.KAFKA_NOTIFICATIONS_TOPIC);
  const teacherTopics = [
    ...new Set([...config.KAFKA_TEACHER_TOPICS, config.TEACHER_NOTIFICATION_TOPIC]),
  ];
  const intake = createEventIntake({
    accept,
    owners,
    generalTopic,
    clock,
    logger,
    templates: content.templates,
    eventTypes: teacherTopics,
    allowUnknownTypes: config.ALLOW_UNKNOWN_TYPES,
    exposeStorageIds: config.EXPOSE_STORAGE_IDS,
    strictOwnership: config.STRICT_OWNERSHIP,
    maxEventAgeMs: config.MAX_EVENT_AGE_SECONDS * SECOND_MS,
    deadLetters: kafka.deadLetters("ingest"),
    audit: parts.audit,
    onRecord: (_record, outcome) => {
      const reason = "reason" in outcome ? outcome.reason : "";
      metrics.events.inc({ role: "ingest", outcome: outcome.kind, reason });
      if (reason === "ownership_mismatch") {
        metrics.ownershipMismatches.inc({ type: config.TEACHER_NOTIFICATION_TOPIC });
      }
    },
  });
  // Apart from the workers there is nothing to remember: what is urgent had better be read soon.
  const onChunk = config.ROLES.includes("worker")
    ? paceByDelivery(intake, {
        clock,
        waiting: createListDepth(foundation.redis, foundation.keyspace),
      })
    : intake;
  const topics = [...teacherTopics.map((name) => kafka.topic(name)), generalTopic];
  await kafka.read({ role: "ingest", topics, onChunk });
}
