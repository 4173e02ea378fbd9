/** The events that the Kafka scenario puts on a topic, and how they get there. */
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { stopIdleTimers } from "../../src/platform/kafka/idle-timers.ts";
import { CORRELATION_PREFIX } from "./frame-scan.ts";

/** Records of one request to the broker. */
const BATCH_RECORDS = 500;
const PARTITIONS = 4;
/** Between asking for a load and its first event. */
const LEAD_MS = 20;
const MAKE_DEADLINE_MS = 10_000;
const MAKE_POLL_MS = 50;
export const TEACHER_TOPIC = "huleedu.notification.teacher.requested.v1";

/** When each event was due, by its number. */
export type DueTimes = number[];

export interface KafkaLoad {
  /** Puts these many events on the topic as fast as it takes them. @returns the first one's number */
  pour(count: number): Promise<number>;
  /** The same at a fixed rate, whatever becomes of them. */
  drip(load: { readonly rate: number; readonly seconds: number }): Promise<void>;
  /** Of all events so far. */
  readonly dueMs: DueTimes;
  /** Whose it is: users take turns. */
  userOf(index: number): number;
  close(): Promise<void>;
}

/** Makes the topic and opens a producer. @param topic its full name */
export async function openKafkaLoad(options: {
  readonly servers: string;
  readonly topic: string;
  readonly users: readonly string[];
}): Promise<KafkaLoad> {
  const { topic, users } = options;
  stopIdleTimers();
  const kafka = new Kafka({
    brokers: options.servers.split(","),
    clientId: "bench",
    logLevel: logLevel.NOTHING,
  });
  await makeTopic(kafka, topic);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const dueMs: DueTimes = [];
  const run = `${Date.now().toString(36)}-`;
  const userOf = (index: number): number => index % users.length;

  const messageOf = (index: number) => {
    const user = users[userOf(index)] ?? "";
    return { key: user, value: eventText(`${run}${index}`, user, index) };
  };
  async function send(indices: readonly number[]): Promise<void> {
    for (let from = 0; from < indices.length; from += BATCH_RECORDS) {
      const messages = indices.slice(from, from + BATCH_RECORDS).map(messageOf);
      await producer.send({ topic, acks: -1, messages });
    }
  }

  return {
    dueMs,
    userOf,
    async pour(count) {
      const first = dueMs.length;
      const now = performance.now();
      const indices = Array.from({ length: count }, (_, at) => first + at);
      for (const index of indices) dueMs[index] = now;
      await send(indices);
      return first;
    },
    async drip({ rate, seconds }) {
      const first = dueMs.length;
      const total = Math.round(rate * seconds);
      const startMs = performance.now() + LEAD_MS;
      for (let at = 0; at < total; at += 1) dueMs[first + at] = startMs + (at * 1_000) / rate;
      for (let sent = 0; sent < total;) {
        const waitMs = (dueMs[first + sent] ?? 0) - performance.now();
        if (waitMs > 0) await delay(waitMs);
        const due: number[] = [];
        while (sent < total && (dueMs[first + sent] ?? 0) <= performance.now()) {
          due.push(first + sent);
          sent += 1;
        }
        // What falls due meanwhile goes together, as with any producer that keeps its order.
        await send(due);
      }
    },
    close: () => producer.disconnect(),
  };
}

async function makeTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.createTopics({
      topics: [{ topic, numPartitions: PARTITIONS }],
      waitForLeaders: false,
    });
    const giveUpAt = performance.now() + MAKE_DEADLINE_MS;
    // Right after it has made a topic the broker may not know it.
    for (;;) {
      try {
        await admin.fetchTopicOffsets(topic);
        return;
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        await delay(MAKE_POLL_MS);
      }
    }
  } finally {
    await admin.disconnect();
  }
}

function eventText(eventId: string, user: string, index: number): string {
  const timestamp = new Date().toISOString();
  return JSON.stringify({
    event_id: eventId,
    event_type: TEACHER_TOPIC,
    event_timestamp: timestamp,
    source_service: "bench",
    data: {
      teacher_id: user,
      notification_type: "batch_files_uploaded",
      category: "file_operations",
      priority: "standard",
      payload: { batch_id: `batch-${index}`, batch_name: "Essays on the sea", file_count: 24 },
      action_required: false,
      correlation_id: `${CORRELATION_PREFIX}${index}`,
      batch_id: `batch-${index}`,
      timestamp,
    },
  });
}
