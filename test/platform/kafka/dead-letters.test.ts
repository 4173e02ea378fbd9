/** What an operator finds of a record that could not be used, with a real broker. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { createKafkaConnection } from "../../../src/platform/kafka/connection.ts";
import {
  createDeadLetters,
  deadLetterRecord,
  type DeadLetter,
} from "../../../src/platform/kafka/dead-letters.ts";
import { readDeadLetterHeaders } from "../../../src/platform/kafka/dead-letter-headers.ts";
import {
  createKafkaProducer,
  type RunningKafkaProducer,
} from "../../../src/platform/kafka/producer.ts";
import type { KafkaRecord } from "../../../src/platform/kafka/records.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";

const MEBIBYTE = 1_048_576;
const clock = createSystemClock();
let kafka: TestKafka;
let producer: RunningKafkaProducer;

function producerOf(topics: readonly string[], maxRecordBytes: Record<string, number>) {
  const logger = createSilentLogger();
  const settings = { servers: [kafka.servers], clientId: "test", ssl: false };
  const connection = createKafkaConnection(settings, logger);
  return createKafkaProducer({ connection, clock, logger, partitions: 1, topics, maxRecordBytes });
}

beforeAll(async () => {
  kafka = await openTestKafka();
  const [wide, plain] = [`${kafka.prefix}wide`, `${kafka.prefix}plain`];
  producer = producerOf([wide, plain], { [wide]: 2 * MEBIBYTE });
});
afterAll(async () => {
  await producer.stop();
  await kafka.close();
});

function letterOf(offset: number, value: Buffer): DeadLetter {
  return {
    reason: "invalid_json",
    detail: "The value is not valid JSON.",
    record: {
      topic: "some.topic",
      partition: 3,
      offset: String(offset),
      key: Buffer.from("teacher-1"),
      value,
      headers: { origin: Buffer.from([0, 255]) },
      timestamp: Date.UTC(2026, 8, 1),
    },
  };
}

/** With its key and headers it is just what a broker takes; with ours it is more. */
const LARGE = Buffer.alloc(MEBIBYTE - 200, 1);

async function put(name: string) {
  const topic = `${kafka.prefix}${name}`;
  const letters = createDeadLetters({ producer, topic, group: "readers", clock });
  await letters.write([
    letterOf(1, Buffer.from("{one")),
    letterOf(2, LARGE),
    letterOf(3, Buffer.from("{three")),
  ]);
  const records = await kafka.readAll(topic);
  const offsetOf = ({ headers }: KafkaRecord) => String(headers["dlq-offset"]);
  return records.toSorted((one, other) => offsetOf(one).localeCompare(offsetOf(other)));
}

it("is the record as it was, also one that is as large as the broker takes", async () => {
  const records = await put("wide");
  expect(records.map(({ value }) => value)).toEqual([
    Buffer.from("{one"),
    LARGE,
    Buffer.from("{three"),
  ]);
  for (const { key, headers } of records) {
    expect(key).toEqual(Buffer.from("teacher-1"));
    expect(headers["origin"]).toEqual(Buffer.from([0, 255]));
    expect(readDeadLetterHeaders(headers)).toMatchObject({ "dlq-reason": "invalid_json" });
    expect(readDeadLetterHeaders(headers)?.["dlq-omitted"]).toBeUndefined();
  }
});

it("says where a record is that does not fit, and holds up none behind it", async () => {
  const records = await put("plain");
  const found = records.map(({ value, headers }) => ({
    value,
    ...readDeadLetterHeaders(headers),
  }));
  expect(found).toEqual([
    expect.objectContaining({ value: Buffer.from("{one"), "dlq-offset": "1" }),
    expect.objectContaining({
      value: null,
      "dlq-topic": "some.topic",
      "dlq-partition": "3",
      "dlq-offset": "2",
      "dlq-omitted": "value, headers",
    }),
    expect.objectContaining({ value: Buffer.from("{three"), "dlq-offset": "3" }),
  ]);
});

it("has none of the headers that a producer wrote in our name", () => {
  const letter = letterOf(1, Buffer.from("{one"));
  const forged = { "dlq-omitted": Buffer.from("value"), "dlq-topic": Buffer.from("elsewhere") };
  const headers = { ...letter.record.headers, ...forged };
  const record = { ...letter.record, headers };
  const written = deadLetterRecord({ ...letter, record }, { group: "g", atMs: clock.now() });
  expect(written.headers).toMatchObject({
    origin: Buffer.from([0, 255]),
    "dlq-topic": "some.topic",
  });
  expect(written.headers).not.toHaveProperty("dlq-omitted");
});
