/** A corner of the run's Kafka that belongs to one suite, and brokers that a suite may stop. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  Kafka,
  logLevel,
  Partitioners,
  type Admin,
  type KafkaMessage,
  type Producer,
} from "kafkajs";
import { inject } from "vitest";
import {
  findFreePort,
  isAnswering,
  startLocalBroker,
} from "../../src/platform/kafka/local-broker.ts";
import { stopIdleTimers } from "../../src/platform/kafka/idle-timers.ts";
import type { KafkaRecord, OutgoingRecord } from "../../src/platform/kafka/records.ts";
import { patiently } from "./retriable.ts";

/** Beyond the time that a broker has to start, which is told where it fails. */
const ANSWER_DEADLINE_MS = 50_000;
const POLL_MS = 100;

export interface TestKafka {
  /** For `KAFKA_BOOTSTRAP_SERVERS`. */
  readonly servers: string;
  /** For `KAFKA_TOPIC_PREFIX`, and in front of the names of groups. */
  readonly prefix: string;
  readonly admin: Admin;
  /** @param topic without the prefix; @returns its full name */
  createTopic(topic: string, partitions?: number): Promise<string>;
  /**
   * Writes records, in order where their key or their partition is the same.
   * @param topic its full name
   */
  produce(
    topic: string,
    records: readonly (OutgoingRecord & { partition?: number; timestamp?: string })[],
  ): Promise<void>;
  /** Everything a topic holds now: partition by partition, each in order. Empty if there is none. */
  readAll(topic: string): Promise<KafkaRecord[]>;
  /** Up to where a group has committed each partition of a topic; -1 where it has not. */
  committed(groupId: string, topic: string): Promise<number[]>;
  /** Removes the topics that begin with the prefix. */
  close(): Promise<void>;
}

/** The run's broker, once it answers. */
export async function openTestKafka(): Promise<TestKafka> {
  const servers = inject("kafkaServers");
  if (servers === "") throw new Error("the run started no broker: import test/support/kafka.ts");
  await untilAnswering(servers);
  return await connectTestKafka(servers);
}

export interface OwnBroker {
  readonly servers: string;
  /** Stops it in good order. */
  stop(): Promise<void>;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  /** Starts it again with the same data at the same address. */
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  close(): Promise<void>;
}

/**
 * A broker that the suite may stop and start again.
 * @param options.started false: only its address is chosen
 */
export async function startOwnBroker(options: { started?: boolean } = {}): Promise<OwnBroker> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-broker-"));
  const port = await findFreePort();
  const launch = () => startLocalBroker({ dataDir, port, announce: () => {} });
  let broker = options.started === false ? undefined : await launch();
  return {
    servers: `127.0.0.1:${port}`,
    async stop() {
      await broker?.stop();
      broker = undefined;
    },
    async kill() {
      await broker?.kill();
      broker = undefined;
    },
    async start() {
      broker = await launch();
    },
    async close() {
      await broker?.kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function untilAnswering(servers: string): Promise<void> {
  const endsAt = performance.now() + ANSWER_DEADLINE_MS;
  while (!(await isAnswering(servers))) {
    if (performance.now() > endsAt) throw new Error(`no Kafka answers at ${servers}`);
    await delay(POLL_MS);
  }
}

/** @param servers a broker that answers */
export async function connectTestKafka(servers: string): Promise<TestKafka> {
  const prefix = `t-${randomBytes(6).toString("hex")}.`;
  stopIdleTimers();
  const kafka = new Kafka({
    brokers: servers.split(","),
    clientId: "test",
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const createProducer = async () => {
    const created = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
    await created.connect();
    return created;
  };
  let producer: Promise<Producer> | undefined;

  return {
    servers,
    prefix,
    admin,
    async createTopic(topic, partitions = 1) {
      const name = `${prefix}${topic}`;
      await admin.createTopics({
        topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1 }],
        waitForLeaders: false,
      });
      // Only then can it be written and read.
      await patiently(() => admin.fetchTopicOffsets(name));
      return name;
    },
    async produce(topic, records) {
      const messages = records.map((record) => ({ ...record, headers: { ...record.headers } }));
      await (await (producer ??= createProducer())).send({ topic, messages });
    },
    readAll: (topic) => readAll(kafka, admin, topic),
    async committed(groupId, topic) {
      const [found] = await patiently(() => admin.fetchOffsets({ groupId, topics: [topic] }));
      return (found?.partitions ?? [])
        .toSorted((one, other) => one.partition - other.partition)
        .map(({ offset }) => Number(offset));
    },
    async close() {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
      if (topics.length > 0) await admin.deleteTopics({ topics });
      await admin.disconnect();
      await (await producer)?.disconnect();
    },
  };
}

async function readAll(kafka: Kafka, admin: Admin, topic: string): Promise<KafkaRecord[]> {
  if (!(await admin.listTopics()).includes(topic)) return [];
  const ends = await patiently(() => admin.fetchTopicOffsets(topic));
  const open = new Map(
    ends
      .filter(({ low, high }) => Number(high) > Number(low))
      .map(({ partition, high }) => [partition, Number(high)]),
  );
  if (open.size === 0) return [];
  const groupId = `reader-${randomBytes(6).toString("hex")}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  // By place, because the client starts over where its broker is not ready yet.
  const records = new Map<string, KafkaRecord>();
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) done.reject(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    async eachBatch({ batch }) {
      const end = open.get(batch.partition);
      if (end === undefined) return;
      for (const message of batch.messages) {
        if (Number(message.offset) >= end) continue;
        const record = recordOf(topic, batch.partition, message);
        records.set(`${record.partition}|${record.offset}`, record);
      }
      if (Number(batch.lastOffset()) >= end - 1) open.delete(batch.partition);
      if (open.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  return [...records.values()].toSorted(
    (one, other) => one.partition - other.partition || Number(one.offset) - Number(other.offset),
  );
}

function recordOf(topic: string, partition: number, message: KafkaMessage): KafkaRecord {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, given]) => {
    const value = Array.isArray(given) ? given.at(-1) : given;
    return value === undefined ? [] : [[name, Buffer.from(value)] as const];
  });
  return {
    topic,
    partition,
    offset: message.offset,
    key: message.key,
    value: message.value,
    headers: Object.fromEntries(headers),
    timestamp: Number(message.timestamp),
  };
}
