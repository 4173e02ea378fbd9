/** Services that notify over Kafka: they write an event again until the broker says that it has it. */
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { stopIdleTimers } from "../../../../src/platform/kafka/idle-timers.ts";
import { patiently } from "../../../support/retriable.ts";
import type { AskedBook } from "./asked-book.ts";
import { domainEventOf, requestOf, type Errand } from "./errand.ts";

const RETRY_MS = 250;
const REQUEST_TIMEOUT_MS = 3_000;
const PARTITIONS = 4;

/** What the product reads by default, without the prefix. */
const GENERAL_TOPIC = "notifications.requested.v1";
const DOMAIN_TOPIC = "huleedu.student.created.v1";

export interface EventProducer {
  send(errand: Errand): Promise<void>;
  close(): Promise<void>;
}

export async function openEventProducer(options: {
  readonly servers: string;
  readonly topicPrefix: string;
  readonly book: AskedBook;
  readonly now: () => number;
}): Promise<EventProducer> {
  const { servers, topicPrefix, book, now } = options;
  stopIdleTimers();
  const kafka = new Kafka({
    brokers: servers.split(","),
    clientId: "chaos-producer",
    logLevel: logLevel.NOTHING,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 1 },
  });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  await createTopics(kafka, [`${topicPrefix}${GENERAL_TOPIC}`, `${topicPrefix}${DOMAIN_TOPIC}`]);

  async function produce(topic: string, key: string, value: string): Promise<void> {
    for (;;) {
      try {
        // Connecting again is harmless, and needed where the client gave up.
        await producer.connect();
        await producer.send({ topic, messages: [{ key, value }] });
        return;
      } catch {
        await delay(RETRY_MS);
      }
    }
  }

  return {
    async send(errand) {
      book.open(errand);
      const isDomain = errand.by === "domain";
      const topic = `${topicPrefix}${isDomain ? DOMAIN_TOPIC : GENERAL_TOPIC}`;
      const event = isDomain ? domainEventOf(errand, now()) : requestOf(errand, now());
      const value = JSON.stringify(event);
      await produce(topic, errand.userId, value);
      book.accepted(errand, undefined);
      if (errand.twice) await produce(topic, errand.userId, value);
    },
    close: async () => await producer.disconnect(),
  };
}

async function createTopics(kafka: Kafka, names: readonly string[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = names.map((topic) => ({ topic, numPartitions: PARTITIONS }));
    await admin.createTopics({ topics, waitForLeaders: false });
    for (const name of names) await patiently(() => admin.fetchTopicOffsets(name));
  } finally {
    await admin.disconnect();
  }
}
