/** What every way in shares: the one function that turns requests into notifications. */
import { canNotify, canRaiseToCritical } from "../auth/scopes.ts";
import { createAccept, type Accept } from "../ingest/accept.ts";
import { createCapacity } from "../ingest/capacity.ts";
import { createDeadlineWarnings } from "../ingest/deadline-warnings.ts";
import { createIdempotencyStore } from "../ingest/idempotency.ts";
import { createOccurrences } from "../ingest/occurrences.ts";
import type { ContentParts } from "./content-parts.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";

export function createAcceptPart(deps: {
  readonly foundation: Foundation;
  readonly parts: DeliveryParts;
  readonly content: ContentParts;
}): Accept {
  const { config, redis, keyspace, clock, logger, metrics } = deps.foundation;
  const { ledger, queues } = deps.parts;
  const capacity = createCapacity({
    redis,
    clock,
    depth: () => ledger.depth(),
    outcomeBacklog: () => ledger.outcomeBacklog(),
    maxDepth: config.MAX_QUEUE_DEPTH,
  });
  const shared = {
    keyspace,
    clock,
    logger,
    templates: deps.content.templates,
    leaseMs: config.DUE_LEASE_MS,
  };
  return createAccept({
    ...shared,
    ledger,
    warnings: config.AUTO_DEADLINE_WARNINGS ? createDeadlineWarnings(shared) : undefined,
    idempotency: createIdempotencyStore({ redis, keyspace }),
    occurrences: createOccurrences({ redis, keyspace }),
    enqueue: (items) => queues.enqueue(items),
    mayNotify: canNotify,
    mayRaiseToCritical: canRaiseToCritical,
    assertRoom: () => capacity.assertRoom(),
    onAccepted: (family, priority) => metrics.notificationsAccepted.inc({ family, priority }),
  });
}
