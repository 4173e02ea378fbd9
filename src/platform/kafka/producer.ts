/**
 * Writes to Kafka in order: one request is under way at most, and what arrives meanwhile goes
 * together with the next.
 */
import { Partitioners, type Message, type Producer } from "kafkajs";
import type { Logger } from "../logger.ts";
import type { KafkaConnection } from "./connection.ts";
import { originOf } from "./membership.ts";
import type { KafkaProducer, OutgoingRecord } from "./records.ts";
import { ensureTopics, type WantedTopics } from "./topics.ts";

export interface KafkaProducerOptions extends WantedTopics {
  readonly connection: KafkaConnection;
  readonly logger: Pick<Logger, "debug" | "info" | "warn">;
}

export interface RunningKafkaProducer extends KafkaProducer {
  /** Sends what waits, then lets the connection go; `send` rejects from now on. */
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
  readonly topic: string;
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * It connects with the first record, and again whenever it has to. The topics are those it writes
 * to; they are made where they are missing.
 *
 * It is not idempotent in Kafka's sense: with the client's idempotent producer a request whose
 * answer was lost makes Kafka take the next one, with other records, for a repetition, and drop it
 * (see the decision on kafkajs). So a retry may write records twice, in order; readers compare ids.
 */
export function createKafkaProducer(options: KafkaProducerOptions): RunningKafkaProducer {
  const { connection, logger } = options;
  const waiting: Waiting[] = [];
  let waitingRecords = 0;
  let flushing: Promise<void> | undefined;
  let producer: Producer | undefined;
  let stopped = false;

  async function connect(): Promise<Producer> {
    if (producer !== undefined) return producer;
    const admin = connection.client.admin();
    try {
      await admin.connect();
      await ensureTopics(admin, options, logger);
    } finally {
      await admin.disconnect();
    }
    const created = connection.client.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
    await created.connect();
    producer = created;
    return created;
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    const connected = await connect();
    await connected.sendBatch({
      acks: ALL_REPLICAS,
      timeout: ACK_TIMEOUT_MS,
      topicMessages: batch.map(({ topic, messages }) => ({ topic, messages: [...messages] })),
    });
  }

  /** Where a request with records of several callers fails, one of them may be to blame. */
  async function deliver(batch: readonly Waiting[]): Promise<void> {
    try {
      await write(batch);
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
    async send(topic, records) {
      if (stopped) throw new Error("the Kafka producer has stopped");
      if (waitingRecords + records.length > MAX_WAITING_RECORDS) {
        throw new Error(`more than ${MAX_WAITING_RECORDS} records wait for Kafka`);
      }
      const parts = partsOf(topic, records);
      waiting.push(...parts);
      waitingRecords += records.length;
      flushing ??= flush();
      const results = await Promise.allSettled(parts.map(({ done }) => done.promise));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },

    async stop() {
      stopped = true;
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
function partsOf(topic: string, records: readonly OutgoingRecord[]): Waiting[] {
  const whole = {};
  const parts: Waiting[] = [];
  let messages: Message[] = [];
  let bytes = 0;
  const close = (): void => {
    if (messages.length === 0) return;
    parts.push({ whole, topic, messages, bytes, done: Promise.withResolvers() });
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
