/** A dead-letter topic of a group of tests, the topics its records come from, and `dlq` over them. */
import { deadLetterRecord, type DeadLetterReason } from "../../src/platform/kafka/dead-letters.ts";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import type { TestKafka } from "../support/kafka.ts";
import type { TestRedis } from "../support/redis.ts";
import { runCli, type CliResult } from "./run-cli.ts";

export interface Poison {
  readonly value: Buffer | null;
  readonly reason?: DeadLetterReason;
  /** The first topic unless told. */
  readonly from?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, Buffer>>;
  /** Over what the service writes itself. */
  readonly forged?: Readonly<Record<string, string>>;
}

export interface DeadLetterCorner {
  /** Where events come from, and a second such topic: full names. */
  readonly topic: string;
  readonly otherTopic: string;
  readonly deadLetters: string;
  /** Puts a record aside as the service does; in the first partition unless told. */
  putAside(poison: Poison, partition?: number): Promise<void>;
  /** `npm run schoolbell -- dlq`, set up for this corner. */
  dlq(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult>;
}

const PUT_ASIDE_AT = Date.parse("2026-11-20T09:30:15Z");

/** @param name tells the groups of a suite apart */
export async function makeDeadLetterCorner(
  { kafka, store }: { readonly kafka: TestKafka; readonly store: TestRedis },
  name: string,
): Promise<DeadLetterCorner> {
  const topic = await kafka.createTopic(`${name}.teacher.v1`, 2);
  const otherTopic = await kafka.createTopic(`${name}.class.v1`);
  const deadLetters = await kafka.createTopic(`${name}.dead-letters`, 2);
  let writtenAt = 0;
  return {
    topic,
    otherTopic,
    deadLetters,
    async putAside(poison, partition = 0) {
      const record: KafkaRecord = {
        topic: poison.from ?? topic,
        partition: 1,
        offset: "145",
        key: Buffer.from(poison.key ?? "teacher-1"),
        value: poison.value,
        headers: poison.headers ?? {},
        timestamp: PUT_ASIDE_AT - 60_000,
      };
      const reason = poison.reason ?? "invalid_json";
      const letter = { record, reason, detail: "The value is not valid JSON." };
      const about = { group: "websocket-service-group", atMs: PUT_ASIDE_AT };
      const written = deadLetterRecord(letter, about);
      const headers = { ...written.headers, ...poison.forged };
      // Each later than the one before, however quick the machine is.
      writtenAt = Math.max(Date.now(), writtenAt + 1);
      const timestamp = String(writtenAt);
      await kafka.produce(deadLetters, [{ ...written, headers, partition, timestamp }]);
    },
    dlq: (args, env = {}) =>
      runCli("schoolbell", ["dlq", ...args], {
        KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
        KAFKA_TOPIC_PREFIX: kafka.prefix,
        KAFKA_CONSUMER_GROUP: `${kafka.prefix}group`,
        KAFKA_DEAD_LETTER_TOPIC: deadLetters.slice(kafka.prefix.length),
        KAFKA_TEACHER_TOPICS: topic.slice(kafka.prefix.length),
        CLASS_CREATED_TOPIC: otherTopic.slice(kafka.prefix.length),
        REDIS_URL: store.url,
        KEY_PREFIX: store.prefix,
        ...env,
      }),
  };
}
