/** Beside the worker role: tells other services by Kafka what became of each notification. */
import { createOutcomeRelay } from "../tracking/outcome-relay.ts";
import type { Foundation } from "./foundation.ts";
import type { KafkaParts } from "./kafka-parts.ts";

export async function startOutcomeRelay(deps: {
  readonly foundation: Foundation;
  readonly kafka: KafkaParts;
}): Promise<void> {
  const { foundation, kafka } = deps;
  const { config, keyspace, clock, logger, metrics, nodeId, resources } = foundation;
  const topic = kafka.topic(config.KAFKA_OUTCOME_TOPIC);
  const relay = createOutcomeRelay({
    // A connection of its own: pages of outcomes are large, and nobody waits for them.
    redis: await foundation.connect("outcomes", "command"),
    keyspace,
    clock,
    logger,
    nodeId,
    formats: foundation.sideBySide.formats,
    send: (records) => kafka.producer.send(topic, records),
    onBacklog: (count) => metrics.outcomeBacklog.set(count),
  });
  resources.add("outcome relay", () => relay.close());
  relay.start();
}
