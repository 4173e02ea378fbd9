/** Batches that would fill the memory: what comes behind them is read, and they are told of. */
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { KafkaConsumer } from "../../../src/platform/kafka/consumer.ts";
import { deadLetterRecord } from "../../../src/platform/kafka/dead-letters.ts";
import type { KafkaRecord } from "../../../src/platform/kafka/records.ts";
import {
  replaceUnreadableBatches,
  unreadableReason,
} from "../../../src/platform/kafka/unreadable-batches.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";
import { createMember } from "../../support/kafka-members.ts";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const MEBIBYTE = 1_048_576;

let kafka: TestKafka;
const consumers: KafkaConsumer[] = [];

beforeAll(async () => {
  kafka = await openTestKafka();
});
afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await kafka.close();
});

/** All in one batch. */
async function writeCompressed(topic: string, values: readonly (Buffer | null)[]): Promise<void> {
  const known = CompressionCodecs[CompressionTypes.GZIP];
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    ...known(),
    compress: async ({ buffer }: { buffer: Buffer }) => gzipSync(buffer),
  });
  const client = new Kafka({ brokers: [kafka.servers], logLevel: logLevel.NOTHING });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = values.map((value) => ({ partition: 0, value }));
  await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
  await producer.disconnect();
  CompressionCodecs[CompressionTypes.GZIP] = known;
}

it("a batch that unfolds to more than fits becomes one dead letter with its place, and reading goes on", async () => {
  const topic = await kafka.createTopic("bomb", 2);
  const groupId = `${topic}.group`;
  const seen: KafkaRecord[] = [];
  const consumer = createMember({
    servers: kafka.servers,
    groupId,
    topics: [topic],
    onChunk: async (records) => void seen.push(...records),
  });
  consumers.push(consumer);
  await kafka.produce(topic, [{ partition: 0, key: null, value: "before" }]);
  await writeCompressed(topic, [Buffer.alloc(10), Buffer.alloc(70 * MEBIBYTE)]);
  await kafka.produce(topic, [
    { partition: 0, key: null, value: "after" },
    { partition: 1, key: null, value: "beside" },
  ]);
  consumer.start();
  await expect.poll(() => kafka.committed(groupId, topic)).toEqual([4, 1]);

  const ordinary = seen.filter(({ value }) => unreadableReason(value) === undefined);
  expect(ordinary.map(({ value }) => String(value)).sort()).toEqual(["after", "before", "beside"]);
  const [replaced, ...others] = seen.filter((record) => !ordinary.includes(record));
  expect(others).toEqual([]);
  if (replaced === undefined) throw new Error("nothing stands for the batch");
  const letter = { record: replaced, reason: "invalid_json", detail: "no JSON" } as const;
  const { key, value, headers } = deadLetterRecord(letter, { group: groupId, atMs: Date.now() });
  expect([key, value]).toEqual([null, null]);
  expect(headers).toMatchObject({
    "dlq-topic": topic,
    "dlq-partition": "0",
    "dlq-offset": "2",
    "dlq-omitted": "key, value, headers",
  });
  expect(headers?.["dlq-detail"]).toMatch(/^The batch with the offsets 1 to 2 cannot be read: /);
});

describe("of what a broker would send, a batch", () => {
  const load = createRequire(import.meta.url);
  const decoded = z.array(z.object({ offset: z.string(), value: z.instanceof(Buffer) }));

  /** Offsets 7 to 9 with these attributes and so many records, whose bytes are not such. */
  function batchOf(attributes: number, records: number): Buffer {
    const batch = Buffer.alloc(100, 0xee);
    batch.writeBigInt64BE(7n, 0);
    batch.writeInt32BE(batch.length - 12, 8);
    batch.writeInt8(2, 16);
    batch.writeInt16BE(attributes, 21);
    batch.writeInt32BE(2, 23);
    batch.writeInt32BE(records, 57);
    return batch;
  }

  it.each([
    ["with more records than fit", batchOf(0, 100_001), /it has 100001 records/],
    ["with broken gzip", batchOf(1, 3), /incorrect header check/],
    ["with broken Snappy", batchOf(2, 3), /Snappy|outside|range/],
    ["with records that are none", batchOf(0, 3), /./],
  ])("%s is replaced by one record, and the next is looked at", async (_what, batch, why) => {
    replaceUnreadableBatches();
    const Decoder = load("kafkajs/src/protocol/decoder");
    const decode = load("kafkajs/src/protocol/requests/fetch/v4/decodeMessages");
    const size = Buffer.alloc(4);
    size.writeInt32BE(2 * batch.length);
    const answer = new Decoder(Buffer.concat([size, batch, batch]));
    const records = decoded.parse(await decode(answer));
    expect(records.map(({ offset }) => offset)).toEqual(["9", "9"]);
    for (const { value } of records) expect(unreadableReason(value)).toMatch(why);
  });
});
