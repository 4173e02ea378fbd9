/**
 * Writes to one topic in order: one request is under way at most, and what arrives meanwhile goes
 * together with the next.
 */
import type { Message, Producer } from "kafkajs";
import type { Logger } from "../logger.ts";
import type { KafkaConnection } from "./connection.ts";
import { createKeyPartitioner } from "./key-partitioner.ts";
import type { OutgoingRecord } from "./records.ts";
import { originOf } from "./set-up-faults.ts";
import { ensureTopics, type WantedTopics } from "./topics.ts";

export interface TopicWriterOptions extends WantedTopics {
  readonly connection: KafkaConnection;
  readonly logger: Pick<Logger, "debug" | "info" | "warn">;
  /** Full name. It is made where it is missing, if it is one of `topics`. */
  readonly topic: string;
}

export interface TopicWriter {
  /** As `send` of a producer. */
  write(records: readonly OutgoingRecord[]): Promise<void>;
  /** Sends what waits, then lets the connection go. */
  stop(): Promise<void>;
}

/** One request, and one batch of it for one partition: brokers take 1 MiB unless they are told. */
const MAX_BATCH_BYTES = 900_000;
const MAX_BATCH_RECORDS = 1_000;
/** Beyond this, callers are faster than Kafka and must be told to wait. */
const MAX_WAITING_RECORDS = 100_000;
/** What a record costs besides its key, value and headers: at most. */
const RECORD_OVERHEAD_BYTES = 100;
const ALL_REPLICAS = -1;
/** How long the leader waits for its replicas; below the limit of a whole request. */
const ACK_TIMEOUT_MS = 8_000;

interface Waiting {
  /** Shared by the pieces of what one caller sends: after a failure the rest of it is not sent. */
  readonly whole: { failure?: unknown };
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * It connects with the first record, and again whenever it has to.
 *
 * It is not idempotent in Kafka's sense: with the client's idempotent producer a request whose
 * answer was lost makes Kafka take the next one, with other records, for a repetition, and drop it
 * (see the decision on kafkajs). So a retry may write records twice, in order; readers compare ids.
 */
export function createTopicWriter(options: TopicWriterOptions): TopicWriter {
  const { connection, logger, topic } = options;
  const topics = options.topics.filter((name) => name === topic);
  const waiting: Waiting[] = [];
  let waitingRecords = 0;
  let flushing: Promise<void> | undefined;
  let producer: Producer | undefined;

  async function connect(): Promise<Producer> {
    if (producer !== undefined) return producer;
    const admin = connection.client.admin();
    try {
      await admin.connect();
      await ensureTopics(admin, { ...options, topics }, logger);
    } finally {
      await admin.disconnect();
    }
    const created = connection.client.producer({
      createPartitioner: createKeyPartitioner,
      allowAutoTopicCreation: false,
    });
    await created.connect();
    producer = created;
    return created;
  }

  async function request(batch: readonly Waiting[]): Promise<void> {
    const connected = await connect();
    try {
      const messages = batch.flatMap((one) => [...one.messages]);
      await connected.send({ acks: ALL_REPLICAS, timeout: ACK_TIMEOUT_MS, topic, messages });
    } catch (error) {
      if (isTopicGone(error)) {
        // Somebody deleted it: a new connection looks for it, and makes it, as at first.
        producer = undefined;
        await connected.disconnect().catch(() => {});
      }
      throw error;
    }
  }

  /** Where a request with records of several callers fails, one of them may be to blame. */
  async function deliver(batch: readonly Waiting[]): Promise<void> {
    try {
      await request(batch);
      for (const { done } of batch) done.resolve();
    } catch (error) {
      if (batch.length === 1 || !isAboutRecords(error)) {
        for (const one of batch) fail(one, error);
        return;
      }
      for (const one of batch) {
        if (one.whole.failure === undefined) await deliver([one]);
        else fail(one, one.whole.failure);
      }
    }
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      waitingRecords -= batch.reduce((sum, { messages }) => sum + messages.length, 0);
      const sendable = batch.filter(({ whole }) => whole.failure === undefined);
      for (const one of batch) if (!sendable.includes(one)) fail(one, one.whole.failure);
      if (sendable.length > 0) await deliver(sendable);
    }
    flushing = undefined;
  }

  return {
    async write(records) {
      if (waitingRecords + records.length > MAX_WAITING_RECORDS) {
        throw new Error(`more than ${MAX_WAITING_RECORDS} records wait for ${topic}`);
      }
      const parts = partsOf(records);
      waiting.push(...parts);
      waitingRecords += records.length;
      flushing ??= flush();
      const results = await Promise.allSettled(parts.map(({ done }) => done.promise));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },

    async stop() {
      await flushing;
      await producer?.disconnect();
    },
  };
}

function fail({ whole, done }: Waiting, error: unknown): void {
  whole.failure = error;
  done.reject(error);
}

/** Cuts what one caller sends into pieces that a broker takes. */
function partsOf(records: readonly OutgoingRecord[]): Waiting[] {
  const whole = {};
  const parts: Waiting[] = [];
  let messages: Message[] = [];
  let bytes = 0;
  const close = (): void => {
    if (messages.length === 0) return;
    parts.push({ whole, messages, bytes, done: Promise.withResolvers() });
    messages = [];
    bytes = 0;
  };
  for (const record of records) {
    const size = sizeOf(record);
    if (messages.length >= MAX_BATCH_RECORDS || bytes + size > MAX_BATCH_BYTES) close();
    const { key, value, headers } = record;
    messages.push({ key, value, headers: { ...headers } });
    bytes += size;
  }
  close();
  return parts;
}

function sizeOf({ key, value, headers = {} }: OutgoingRecord): number {
  const texts = [key, value, ...Object.entries(headers).flat()];
  return texts.reduce<number>(
    (sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)),
    RECORD_OVERHEAD_BYTES,
  );
}

function takeBatch(waiting: Waiting[]): Waiting[] {
  let count = 0;
  let records = 0;
  let bytes = 0;
  for (const one of waiting) {
    records += one.messages.length;
    bytes += one.bytes;
    if (count > 0 && (records > MAX_BATCH_RECORDS || bytes > MAX_BATCH_BYTES)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

/**
 * Whether the broker, or the client before it, objected to what was sent. Anything else, such as a
 * broker that is away, would meet each part on its own as well, and only take longer.
 */
function isAboutRecords(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const origin = originOf(error);
  if (!origin.name.startsWith("KafkaJS")) return true;
  return "type" in origin && "retriable" in origin && origin.retriable === false;
}

function isTopicGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const origin = originOf(error);
  return "type" in origin && origin.type === "UNKNOWN_TOPIC_OR_PARTITION";
}
