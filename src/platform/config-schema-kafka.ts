/** Kafka's environment variables: connection, topics, and the rules of what is read from them. */
import { z } from "zod";
import { flag, list, oneOf, text, topic, wholeNumber } from "./config-values.ts";

/** The topic that teacher notification events are published to. */
const TEACHER_TOPIC = "huleedu.notification.teacher.requested.v1";

const topics = list.pipe(z.array(topic).min(1, "must name at least one topic"));

const domainTopic = (name: string) =>
  topic.default(name).describe("topic of these domain events, read by the projectors");

/** Where each domain event is read from; some have a second name, which is read as well. */
export const DOMAIN_TOPIC_VARIABLES = {
  BATCH_FILE_ADDED_TOPIC: domainTopic("huleedu.file.batch.file.added.v1"),
  BATCH_FILE_REMOVED_TOPIC: domainTopic("huleedu.file.batch.file.removed.v1"),
  BATCH_ESSAYS_READY_TOPIC: domainTopic("huleedu.batch.essays.ready.v1"),
  BATCH_VALIDATION_ERRORS_TOPIC: domainTopic("huleedu.batch.validation.errors.v1"),
  BATCH_CONTENT_PROVISIONING_COMPLETED_TOPIC: domainTopic(
    "huleedu.batch.content.provisioning.completed.v1",
  ),
  BATCH_AUTHOR_MATCHES_SUGGESTED_TOPIC: domainTopic("huleedu.batch.author.matches.suggested.v1"),
  STUDENT_ASSOCIATIONS_CONFIRMED_TOPIC: domainTopic(
    "huleedu.class.student.associations.confirmed.v1",
  ),
  VALIDATION_TIMEOUT_PROCESSED_TOPIC: domainTopic("huleedu.class.validation.timeout.processed.v1"),
  CJ_ASSESSMENT_COMPLETED_TOPIC: domainTopic("huleedu.cj_assessment.completed.v1"),
  CJ_ASSESSMENT_FAILED_TOPIC: domainTopic("huleedu.cj_assessment.failed.v1"),
  SPELLCHECK_COMPLETED_TOPIC: domainTopic("huleedu.essay.spellcheck.completed.v1"),
  ELS_BATCH_PHASE_OUTCOME_TOPIC: domainTopic("huleedu.els.batch.phase.outcome.v1"),
  ESSAY_CONTENT_PROVISIONED_TOPIC: domainTopic("huleedu.essay.content.provisioned.v1"),
  ESSAY_VALIDATION_FAILED_TOPIC: domainTopic("huleedu.essay.validation.failed.v1"),
  CLASS_CREATED_TOPIC: domainTopic("huleedu.class.created.v1"),
  STUDENT_CREATED_TOPIC: domainTopic("huleedu.student.created.v1"),
  ESSAY_STUDENT_ASSOCIATION_UPDATED_TOPIC: domainTopic(
    "huleedu.essay.student.association.updated.v1",
  ),
  ESSAY_SLOT_ASSIGNED_TOPIC: domainTopic("huleedu.els.essay.slot.assigned.v1"),
} as const;
export type DomainTopicVariable = keyof typeof DOMAIN_TOPIC_VARIABLES;

export const KAFKA_VARIABLES = {
  KAFKA_BOOTSTRAP_SERVERS: list
    .pipe(z.array(z.string().regex(/^[^\s:/]+:\d+$/, "must be host:port, or a comma list of them")))
    .optional()
    .describe("comma list of host:port; unset: Kafka is off"),
  KAFKA_CONSUMER_GROUP: text
    .default("websocket-service-group")
    .describe("group of the ingest role; the projector role's ends with -projector"),
  KAFKA_CONSUMER_CLIENT_ID: text.default("websocket-service").describe("name in the broker's logs"),
  KAFKA_SSL: flag().describe("whether connections are encrypted"),
  KAFKA_SASL_MECHANISM: oneOf(["plain", "scram-sha-256", "scram-sha-512"])
    .optional()
    .describe("how to log in; unset: no login"),
  KAFKA_SASL_USERNAME: text.optional().describe("who logs in"),
  KAFKA_SASL_PASSWORD: text.optional().describe("its password"),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,40}$/, "must hold only letters, digits and . _ -")
    .default("")
    .describe("in front of the name of every topic, where several installations share a broker"),
  KAFKA_TOPIC_PARTITIONS: wholeNumber(1, 1_000)
    .default(4)
    .describe("partitions of a topic that is not there yet and has to be created"),
  KAFKA_SESSION_TIMEOUT_MS: wholeNumber(1_000, 1_800_000)
    .default(15_000)
    .describe("silence after which another process takes over what a reader of topics had"),
  KAFKA_TEACHER_TOPICS: topics
    .default([TEACHER_TOPIC, "huleedu.teacher.notification.requested.v1"])
    .describe("comma list of topics with teacher notification events"),
  TEACHER_NOTIFICATION_TOPIC: topic
    .default(TEACHER_TOPIC)
    .describe("where projectors publish teacher notification events"),
  KAFKA_NOTIFICATIONS_TOPIC: topic
    .default("notifications.requested.v1")
    .describe("topic whose values are bodies of POST /notify"),
  KAFKA_OUTCOME_TOPIC: topic
    .default("notifications.outcome.v1")
    .describe("where it is told what became of each notification"),
  KAFKA_DEAD_LETTER_TOPIC: topic
    .default("huleedu.notification.dlq.v1")
    .describe("where records go that cannot be used, with the reason"),
  MAX_EVENT_AGE_SECONDS: wholeNumber(1, 31_536_000)
    .default(86_400)
    .describe("events older than this are skipped, unless their deadline is still ahead"),
  ALLOW_UNKNOWN_TYPES: flag().describe(
    "whether a teacher event of an unknown type is delivered as a general notice, not a dead letter",
  ),
  STRICT_OWNERSHIP: flag().describe(
    "whether a teacher event about a batch or class whose owner is not known is refused",
  ),
  EXPOSE_STORAGE_IDS: flag().describe("whether text_storage_id of an essay slot reaches browsers"),
  REDIS_BRIDGE: flag().describe(
    "whether what services publish on the Redis channels ws:{user_id} is taken in",
  ),
  MIRROR_USER_CHANNELS: flag().describe(
    "whether each frame is also published on the Redis channel teacher:{user_id}:notifications",
  ),
  ...DOMAIN_TOPIC_VARIABLES,
} as const;
