/** The broker as the replay uses it: puts a trace on it, and watches how far the groups have come. */
import { randomUUID } from "node:crypto";
import {
  Kafka,
  logLevel,
  Partitioners,
  type Admin,
  type KafkaMessage,
  type Producer,
} from "kafkajs";
import { stopIdleTimers } from "../../src/platform/kafka/idle-timers.ts";
import { patiently } from "../support/retriable.ts";
import type { TraceRecord } from "./trace-record.ts";

/** Records of one request to the broker. */
const BATCH_SIZE = 200;
/** How long the broker lets a reader at the end of a topic wait for more. */
const READ_WAIT_MS = 100;
/** On every record: its place in the trace, which it keeps when it is put aside. */
export const PLACE_HEADER = "trace-place";

/** `topic:partition` and an offset. */
export type Offsets = ReadonlyMap<string, bigint>;

export interface Stream {
  /** Makes the topics, with their prefix, that the trace needs and that are not there. */
  createTopics(names: readonly string[], partitions: number): Promise<void>;
  /** Resolves once all are on the broker; records of one topic and key keep their order. */
  produce(
    records: readonly { readonly record: TraceRecord; readonly place: number }[],
  ): Promise<void>;
  /** Where each partition of these topics ends; topics without their prefix. */
  ends(topics: readonly string[]): Promise<Offsets>;
  /** What a group has committed; nothing for partitions without any. */
  committed(group: string): Promise<Offsets>;
  /** Members of a group; 0 where it is not there yet or does not agree on who reads what. */
  members(group: string): Promise<number>;
  /** Everything on these topics up to their present end, each partition in its order. */
  read(topics: readonly string[]): Promise<Written[]>;
  close(): Promise<void>;
}

/** A record as it lies on the broker. */
export interface Written {
  /** Without the prefix. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export async function openStream(servers: string, prefix: string): Promise<Stream> {
  stopIdleTimers();
  const kafka = new Kafka({
    brokers: servers.split(","),
    clientId: "schoolbell-trace",
    logLevel: logLevel.NOTHING,
  });
  const admin: Admin = kafka.admin();
  const producer: Producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    maxInFlightRequests: 1,
  });
  await Promise.all([admin.connect(), producer.connect()]);

  async function ends(topics: readonly string[]): Promise<Offsets> {
    const found = new Map<string, bigint>();
    await Promise.all(
      topics.map(async (name) => {
        const topic = `${prefix}${name}`;
        for (const { partition, high } of await patiently(() => admin.fetchTopicOffsets(topic))) {
          found.set(`${topic}:${partition}`, BigInt(high));
        }
      }),
    );
    return found;
  }

  return {
    ends,

    async createTopics(names, partitions) {
      const there = new Set(await admin.listTopics());
      const topics = names
        .map((name) => ({ topic: `${prefix}${name}`, numPartitions: partitions }))
        .filter(({ topic }) => !there.has(topic));
      if (topics.length === 0) return;
      await admin.createTopics({ topics, waitForLeaders: false });
      // Right after it has made them the broker may not know them; the client's own wait gives up.
      await patiently(() => ends(names));
    },

    async produce(records) {
      for (let from = 0; from < records.length; from += BATCH_SIZE) {
        const byTopic = new Map<string, Message[]>();
        for (const { record, place } of records.slice(from, from + BATCH_SIZE)) {
          const topic = `${prefix}${record.topic}`;
          byTopic.set(topic, [...(byTopic.get(topic) ?? []), messageOf(record, place)]);
        }
        await producer.sendBatch({
          acks: -1,
          topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
        });
      }
    },

    async committed(group) {
      const found = new Map<string, bigint>();
      const fetched = await patiently(() => admin.fetchOffsets({ groupId: group }));
      for (const { topic, partitions } of fetched) {
        for (const { partition, offset } of partitions) {
          if (offset !== "-1") found.set(`${topic}:${partition}`, BigInt(offset));
        }
      }
      return found;
    },

    async members(group) {
      const { groups } = await admin.describeGroups([group]);
      const [found] = groups;
      return found?.state === "Stable" ? found.members.length : 0;
    },

    async read(topics) {
      const groupId = `trace-reader-${randomUUID()}`;
      const written = await readAll(kafka, groupId, prefix, topics, await ends(topics));
      // Without records there was nothing to join a group for.
      if (written.length > 0) await admin.deleteGroups([groupId]);
      return written;
    },

    async close() {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}

/** A group of one, whose commits nobody needs. */
async function readAll(
  kafka: Kafka,
  groupId: string,
  prefix: string,
  topics: readonly string[],
  ends: Offsets,
): Promise<Written[]> {
  const open = new Map([...ends].filter(([, end]) => end > 0n));
  if (open.size === 0) return [];
  const written: Written[] = [];
  const done = Promise.withResolvers<void>();
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: READ_WAIT_MS });
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  await consumer.connect();
  try {
    await consumer.subscribe({
      topics: topics.map((name) => `${prefix}${name}`),
      fromBeginning: true,
    });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { topic, partition, messages } = batch;
        const name = `${topic}:${partition}`;
        const end = open.get(name);
        if (end === undefined) return;
        for (const message of messages) {
          const offset = BigInt(message.offset);
          if (offset >= end) break;
          written.push(writtenOf(topic.slice(prefix.length), partition, message));
        }
        if (BigInt(batch.lastOffset()) + 1n >= end) open.delete(name);
        if (open.size === 0) done.resolve();
      },
    });
    await done.promise;
  } finally {
    await consumer.disconnect();
  }
  return written;
}

function writtenOf(topic: string, partition: number, message: KafkaMessage): Written {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [
    name,
    String(value),
  ]);
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    value: message.value?.toString("utf8") ?? null,
    headers: Object.fromEntries(headers),
  };
}

interface Message {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Record<string, string>;
}

function messageOf({ key, value }: TraceRecord, place: number): Message {
  const text = typeof value === "string" || value === null ? value : JSON.stringify(value);
  return { key, value: text, headers: { [PLACE_HEADER]: String(place) } };
}

/** Partitions that are not read to the end: `name: 12 of 40`. */
export function behind(ends: Offsets, committed: Offsets): string[] {
  return [...ends].flatMap(([name, end]) => {
    const done = committed.get(name) ?? 0n;
    return done >= end ? [] : [`${name}: ${done} of ${end}`];
  });
}
