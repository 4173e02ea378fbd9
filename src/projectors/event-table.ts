/** All domain events that teachers hear of, the topics they come from, and how one is found. */
import type { Config } from "../platform/config-schema.ts";
import {
  DOMAIN_TOPIC_VARIABLES,
  type DomainTopicVariable,
} from "../platform/config-schema-kafka.ts";
import { BATCH_ORCHESTRATOR_EVENTS } from "./batch-orchestrator.ts";
import { CJ_ASSESSMENT_EVENTS } from "./cj-assessment.ts";
import { CLASS_MANAGEMENT_EVENTS } from "./class-management.ts";
import type { DomainEvent } from "./domain-event.ts";
import { ESSAY_LIFECYCLE_EVENTS } from "./essay-lifecycle.ts";
import { FILE_SERVICE_EVENTS } from "./file-service.ts";
import { SPELLCHECKER_EVENTS } from "./spellchecker.ts";

export type TopicConfig = Pick<Config, DomainTopicVariable | "KAFKA_TOPIC_PREFIX">;

export const DOMAIN_EVENTS: readonly DomainEvent[] = [
  ...CLASS_MANAGEMENT_EVENTS,
  ...BATCH_ORCHESTRATOR_EVENTS,
  ...FILE_SERVICE_EVENTS,
  ...ESSAY_LIFECYCLE_EVENTS,
  ...SPELLCHECKER_EVENTS,
  ...CJ_ASSESSMENT_EVENTS,
];

/**
 * Full names, with the prefix: one topic for each variable in the order of their list, then the
 * second names of some events, which producers use for topics too.
 */
export function subscribedTopics(config: TopicConfig): string[] {
  const variables = Object.keys(DOMAIN_TOPIC_VARIABLES).flatMap((name) => {
    const event = DOMAIN_EVENTS.find(({ variable }) => variable === name);
    return event === undefined ? [] : [config[event.variable]];
  });
  const second = DOMAIN_EVENTS.flatMap(({ secondType }) => secondType ?? []);
  return [...new Set([...variables, ...second])].map(
    (topic) => `${config.KAFKA_TOPIC_PREFIX}${topic}`,
  );
}

export interface EventTable {
  /** By the type in the envelope, whatever topic it came from: the topic's name is a type too. */
  ofType(eventType: string): DomainEvent | undefined;
  /** For events without an envelope. */
  ofTopic(fullName: string): DomainEvent | undefined;
}

export function createEventTable(config: TopicConfig): EventTable {
  const byName = new Map<string, DomainEvent>();
  // Fixed names win over configured ones: a topic may be shared, a type means one thing.
  for (const event of DOMAIN_EVENTS) {
    for (const name of [event.type, event.secondType]) {
      if (name !== undefined) byName.set(name, event);
    }
  }
  for (const event of DOMAIN_EVENTS) {
    const topic = config[event.variable];
    if (!byName.has(topic)) byName.set(topic, event);
  }
  const prefix = config.KAFKA_TOPIC_PREFIX;
  return {
    ofType: (eventType) => byName.get(eventType),
    ofTopic: (fullName) =>
      fullName.startsWith(prefix) ? byName.get(fullName.slice(prefix.length)) : undefined,
  };
}
