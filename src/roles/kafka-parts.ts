/** What the roles share of Kafka: one connection, one producer, and how a role reads its topics. */
import type { Role } from "../platform/config-schema.ts";
import { createKafkaConnection, kafkaSettingsOf } from "../platform/kafka/connection.ts";
import { createKafkaConsumer, type KafkaConsumerState } from "../platform/kafka/consumer.ts";
import { createDeadLetters, type DeadLetters } from "../platform/kafka/dead-letters.ts";
import { createKafkaProducer } from "../platform/kafka/producer.ts";
import { createReaderTelling, type ReaderState } from "../platform/kafka/reader-census.ts";
import type { ChunkHandler, KafkaProducer } from "../platform/kafka/records.ts";
import type { Foundation } from "./foundation.ts";

/** A role that reads events, and the group it does so in. */
interface Reader {
  readonly role: "ingest" | "projector";
  /** Full names. */
  readonly topics: readonly string[];
  readonly onChunk: ChunkHandler;
}

export interface KafkaParts {
  readonly producer: KafkaProducer;
  /** Full name of a topic of the configuration. */
  topic(name: string): string;
  deadLetters(role: Reader["role"]): DeadLetters;
  /** Reads from now on, until everything is closed. */
  read(reader: Reader): Promise<void>;
}

/** Twice what brokers take unless they are told otherwise: the record as it was, and our headers. */
const MAX_DEAD_LETTER_BYTES = 2 * 1_048_576;
const LAG_INTERVAL_MS = 5_000;

/** Undefined where Kafka is off. */
export function createKafkaParts(foundation: Foundation): KafkaParts | undefined {
  const { config, redis, keyspace, clock, logger, metrics, nodeId, resources } = foundation;
  const settings = kafkaSettingsOf(config);
  if (settings === undefined) return undefined;
  const connection = createKafkaConnection(settings, logger);
  const topic = (name: string): string => `${config.KAFKA_TOPIC_PREFIX}${name}`;
  const partitions = config.KAFKA_TOPIC_PARTITIONS;
  const producer = createKafkaProducer({
    connection,
    clock,
    logger,
    partitions,
    maxRecordBytes: { [topic(config.KAFKA_DEAD_LETTER_TOPIC)]: MAX_DEAD_LETTER_BYTES },
    topics: [
      config.TEACHER_NOTIFICATION_TOPIC,
      config.KAFKA_OUTCOME_TOPIC,
      config.KAFKA_DEAD_LETTER_TOPIC,
    ].map(topic),
  });
  resources.add("kafka producer", () => producer.stop());

  const groupOf = (role: Reader["role"]): string =>
    role === "ingest" ? config.KAFKA_CONSUMER_GROUP : `${config.KAFKA_CONSUMER_GROUP}-projector`;

  function tellLag(group: string, { partitions: held }: KafkaConsumerState): void {
    const lags = new Map<string, number>();
    for (const { topic: name, lag } of held) lags.set(name, (lags.get(name) ?? 0) + lag);
    for (const [name, lag] of lags) metrics.consumerLag.set({ group, topic: name }, lag);
  }

  return {
    producer,
    topic,
    deadLetters: (role) =>
      createDeadLetters({
        producer,
        clock,
        topic: topic(config.KAFKA_DEAD_LETTER_TOPIC),
        group: groupOf(role),
      }),

    async read({ role, topics, onChunk }) {
      const group = groupOf(role);
      const consumer = createKafkaConsumer({
        connection,
        groupId: group,
        topics,
        partitions,
        onChunk,
        clock,
        logger,
        ...(endsWithReading(config.ROLES) ? { onStopped: foundation.onFatal } : {}),
        sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
      });
      const telling = createReaderTelling({
        redis,
        keyspace,
        clock,
        nodeId,
        role,
        state: () => readerStateOf(consumer.state()),
      });
      resources.add(`kafka ${role}`, async () => {
        await consumer.stop();
        await telling.close();
      });
      resources.add(
        `kafka ${role} lag`,
        clock.every(LAG_INTERVAL_MS, () => tellLag(group, consumer.state())),
      );
      consumer.start();
      await telling.start();
    },
  };
}

/**
 * Whether a process with these roles is worth nothing while Kafka does not let it in: then it ends,
 * so that whoever started it sees why. Beside other roles reading waits, and `/health` says so.
 */
function endsWithReading(roles: readonly Role[]): boolean {
  return roles.every((role) => role === "ingest" || role === "projector");
}

function readerStateOf({ status }: KafkaConsumerState): ReaderState {
  switch (status) {
    case "consuming":
      return "reading";
    case "paused":
      return "paused";
    case "connecting":
    case "stopped":
      return "connecting";
  }
}
