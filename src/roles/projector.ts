/** The projector role: reads the services' own events, and publishes what teachers should hear of them. */
import { subscribedTopics } from "../projectors/event-table.ts";
import { createProjectorIntake } from "../projectors/intake.ts";
import type { OwnerIndex } from "../projectors/owner-index.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";
import type { KafkaParts } from "./kafka-parts.ts";

export async function startProjectorRole(deps: {
  readonly foundation: Foundation;
  readonly parts: Pick<DeliveryParts, "audit">;
  readonly owners: OwnerIndex;
  readonly kafka: KafkaParts;
}): Promise<void> {
  const { foundation, parts, owners, kafka } = deps;
  const { config, clock, logger, metrics } = foundation;
  const onChunk = createProjectorIntake({
    config,
    owners,
    clock,
    logger,
    producer: kafka.producer,
    deadLetters: kafka.deadLetters("projector"),
    audit: parts.audit,
    onProjected: (_type, outcome) =>
      metrics.events.inc({
        role: "projector",
        outcome: outcome.outcome,
        reason: "reason" in outcome ? outcome.reason : "",
      }),
    onOwnershipMismatch: (type) => metrics.ownershipMismatches.inc({ type }),
  });
  await kafka.read({ role: "projector", topics: subscribedTopics(config), onChunk });
}
