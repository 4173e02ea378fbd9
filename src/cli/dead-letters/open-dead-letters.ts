/** Opens both kinds of dead letters, as far as Kafka and Redis are there. */
import type { z } from "zod";
import { createSystemClock } from "../../platform/clock.ts";
import { configSchema } from "../../platform/config-schema.ts";
import { DOMAIN_TOPIC_VARIABLES } from "../../platform/config-schema-kafka.ts";
import { parseVariables } from "../../platform/config.ts";
import { createKafkaConnection, kafkaSettingsOf } from "../../platform/kafka/connection.ts";
import { createKafkaProducer } from "../../platform/kafka/producer.ts";
import { createTopicReader, TopicReadError } from "../../platform/kafka/topic-reader.ts";
import { createSilentLogger } from "../../platform/logger.ts";
import { isRedisUnavailable } from "../../platform/redis-failure.ts";
import { createResources, type Resources } from "../../platform/resources.ts";
import { createSealing } from "../../platform/sealing.ts";
import { subscribedTopics } from "../../projectors/event-table.ts";
import { createAudit, type Audit } from "../../tracking/audit.ts";
import { createDeadNotes, type DeadNotes } from "../../tracking/dead-notes.ts";
import { agreedFormats } from "../../tracking/ledger-format.ts";
import { findRedisUrl, reachRedis, type OperatorRedis } from "../operator-redis.ts";
import { Failure } from "../run-command.ts";
import { createEventLetters, type EventLetters } from "./event-letters.ts";
import { createRedriveMarks } from "./redrive-marks.ts";
import type { Kind } from "./selection.ts";

/** What can be worked with, or why it cannot. */
export type Source<T> = { readonly there: true; readonly value: T } | Missing;

export interface Missing {
  readonly there: false;
  /** A sentence without its full stop. */
  readonly why: string;
  /** Whether it is configured, so that it should be there. */
  readonly configured: boolean;
}

export interface DeadLetterDesk {
  readonly events: Source<EventLetters>;
  readonly notes: Source<DeadNotes>;
  /** Undefined while Redis is away. */
  readonly audit: Audit | undefined;
}

/** The variables that matter here: an operator's desk need not have the rest. */
const environmentSchema = configSchema
  .pick({
    NODE_ENV: true,
    DATA_DIR: true,
    REDIS_URL: true,
    KEY_PREFIX: true,
    SHARDS: true,
    DATA_ENCRYPTION_KEY: true,
    NOTE_TTL_SECONDS: true,
    KAFKA_BOOTSTRAP_SERVERS: true,
    KAFKA_CONSUMER_GROUP: true,
    KAFKA_CONSUMER_CLIENT_ID: true,
    KAFKA_SSL: true,
    KAFKA_SASL_MECHANISM: true,
    KAFKA_SASL_USERNAME: true,
    KAFKA_SASL_PASSWORD: true,
    KAFKA_TOPIC_PREFIX: true,
    KAFKA_TOPIC_PARTITIONS: true,
    KAFKA_DEAD_LETTER_TOPIC: true,
    KAFKA_TEACHER_TOPICS: true,
    TEACHER_NOTIFICATION_TOPIC: true,
    KAFKA_NOTIFICATIONS_TOPIC: true,
  })
  .extend(DOMAIN_TOPIC_VARIABLES);

type Environment = z.infer<typeof environmentSchema>;

const CLOSE_DEADLINE_MS = 5_000;

const NOT_ASKED = { there: false, why: "they were not asked for", configured: false } as const;

/** Opens what these kinds need, does `work`, and closes everything again. */
export async function withDeadLetters<T>(
  kinds: readonly Kind[],
  work: (desk: DeadLetterDesk) => Promise<T>,
): Promise<T> {
  const config = parseVariables(environmentSchema, process.env);
  const resources = createResources();
  try {
    // Events need Redis too, to know what was sent back; they are shown without it all the same.
    const redis = await openRedis(config, resources);
    const found = redis.there ? redis.value : undefined;
    return await work({
      events: kinds.includes("events") ? await openEvents(config, resources, found) : NOT_ASKED,
      notes: redis.there ? await openNotes(config, redis.value) : redis,
      audit: found && createAudit(found),
    });
  } catch (error) {
    if (!isOutage(error)) throw error;
    throw new Failure(`It ended there: ${error.message}`, { cause: error });
  } finally {
    await resources.close(CLOSE_DEADLINE_MS);
  }
}

/** Kafka or Redis went away, or refuses: no fault of this program, so no stack trace. */
function isOutage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    error instanceof TopicReadError || error.name.startsWith("KafkaJS") || isRedisUnavailable(error)
  );
}

async function openRedis(
  config: Environment,
  resources: Resources,
): Promise<Source<OperatorRedis>> {
  const url = await findRedisUrl(config);
  if (url === undefined) {
    const why = `REDIS_URL is not set, and no Schoolbell runs on ${config.DATA_DIR}`;
    return { there: false, why, configured: false };
  }
  try {
    const value = await reachRedis(url, config);
    resources.add("redis", () => value.redis.disconnect());
    return { there: true, value };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { there: false, why: error.message, configured: true };
  }
}

async function openEvents(
  config: Environment,
  resources: Resources,
  redis: OperatorRedis | undefined,
): Promise<Source<EventLetters>> {
  const settings = kafkaSettingsOf(config);
  if (settings === undefined) {
    return { there: false, why: "KAFKA_BOOTSTRAP_SERVERS is not set", configured: false };
  }
  const logger = createSilentLogger();
  const connection = createKafkaConnection(settings, logger);
  const group = config.KAFKA_CONSUMER_GROUP;
  const clock = createSystemClock();
  const reader = createTopicReader({ connection, group, clock });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const topic = topicPrefix + config.KAFKA_DEAD_LETTER_TOPIC;
  try {
    await reader.extent(topic);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const why = `Kafka at ${settings.servers.join(", ")} cannot be reached: ${reason}`;
    return { there: false, why, configured: true };
  }
  const producer = createKafkaProducer({
    connection,
    clock,
    logger,
    // What it writes to was read from, so it exists.
    topics: [],
    partitions: config.KAFKA_TOPIC_PARTITIONS,
  });
  resources.add("kafka producer", () => producer.stop());
  const marks = redis && createRedriveMarks(redis);
  const value = createEventLetters({
    reader,
    producer,
    marks,
    topic,
    topicPrefix,
    origins: originsOf(config),
  });
  return { there: true, value };
}

/** What ingest and projectors read, wherever they run. */
function originsOf(config: Environment): ReadonlySet<string> {
  const taken = [
    ...config.KAFKA_TEACHER_TOPICS,
    config.TEACHER_NOTIFICATION_TOPIC,
    config.KAFKA_NOTIFICATIONS_TOPIC,
  ];
  const full = taken.map((name) => config.KAFKA_TOPIC_PREFIX + name);
  return new Set([...full, ...subscribedTopics(config)]);
}

async function openNotes(config: Environment, redis: OperatorRedis): Promise<Source<DeadNotes>> {
  const formats = await agreedFormats(redis);
  if (formats === undefined) {
    return {
      there: false,
      why: "a newer version of Schoolbell wrote this Redis",
      configured: true,
    };
  }
  const sealing = createSealing(...(config.DATA_ENCRYPTION_KEY ?? []));
  const outcomes = config.KAFKA_BOOTSTRAP_SERVERS !== undefined;
  const noteSeconds = config.NOTE_TTL_SECONDS;
  return {
    there: true,
    value: createDeadNotes({ ...redis, sealing, outcomes, noteSeconds, formats }),
  };
}

/** @throws Failure if it is not there. */
export function required<T>(source: Source<T>, kind: Kind): T {
  if (!source.there) throw new Failure(`No ${kind} without this: ${source.why}`);
  return source.value;
}
