/** What is written arrives in order, and what cannot be written takes nothing else down with it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { createKafkaConnection } from "../../../src/platform/kafka/connection.ts";
import {
  createKafkaProducer,
  type RunningKafkaProducer,
} from "../../../src/platform/kafka/producer.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";

let kafka: TestKafka;
let topic: string;
let producer: RunningKafkaProducer;

function open(topics: readonly string[]): RunningKafkaProducer {
  const logger = createSilentLogger();
  const connection = createKafkaConnection(
    { servers: kafka.servers.split(","), clientId: "test", ssl: false },
    logger,
  );
  const clock = createSystemClock();
  return createKafkaProducer({ connection, topics, partitions: 3, clock, logger });
}

beforeAll(async () => {
  kafka = await openTestKafka();
  topic = `${kafka.prefix}outcomes`;
  producer = open([topic]);
});
afterAll(async () => {
  await producer.stop();
  await kafka.close();
});

describe("a producer", () => {
  it("makes its topic with as many partitions as it is told", async () => {
    await producer.send(topic, [{ key: null, value: "first" }]);
    const { topics } = await kafka.admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions).toHaveLength(3);
  });

  it("keeps the order of equal keys over many calls that do not wait for one another", async () => {
    const sends = Array.from({ length: 300 }, (_, index) =>
      producer.send(topic, [{ key: `key-${index % 7}`, value: `ordered-${index}` }]),
    );
    await Promise.all(sends);
    const records = (await kafka.readAll(topic)).filter(({ key }) => key !== null);
    expect(records).toHaveLength(300);
    for (let key = 0; key < 7; key += 1) {
      const own = records.filter((record) => record.key?.toString() === `key-${key}`);
      const numbers = own.map(({ value }) => Number(value?.toString().split("-")[1]));
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
    }
  });

  it("takes more at once than a broker does, with keys, headers and tombstones as they are", async () => {
    const records = Array.from({ length: 60 }, (_, index) => ({
      key: "large",
      value: Buffer.alloc(50_000, index),
      headers: { index: String(index) },
    }));
    await producer.send(topic, [...records, { key: "large", value: null }]);
    const found = (await kafka.readAll(topic)).filter(({ key }) => key?.toString() === "large");
    expect(found).toHaveLength(61);
    expect(found.at(-1)?.value).toBeNull();
    expect(found[59]?.headers["index"]?.toString()).toBe("59");
    expect(found[59]?.value?.equals(Buffer.alloc(50_000, 59))).toBe(true);
  });

  it("refuses a record that is too large, and writes what others send with it", async () => {
    const small = (value: string) => producer.send(topic, [{ key: "beside", value }]);
    // The first is under way alone; what follows waits and goes together.
    const under = small("1");
    const results = await Promise.allSettled([
      small("2"),
      producer.send(topic, [{ key: "beside", value: Buffer.alloc(2_000_000) }]),
      small("3"),
    ]);
    await under;
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const found = (await kafka.readAll(topic)).filter(({ key }) => key?.toString() === "beside");
    expect(found.map(({ value }) => value?.toString())).toEqual(["1", "2", "3"]);
  });

  it("writes to its other topics while one is missing that nobody may make", async () => {
    const missing = `${kafka.prefix}missing`;
    const refused = producer.send(missing, [{ key: null, value: "lost" }]);
    const order: string[] = [];
    await Promise.allSettled([
      refused.catch(() => order.push("refused")),
      producer.send(topic, [{ key: null, value: "written" }]).then(() => order.push("written")),
    ]);
    expect(order).toEqual(["written", "refused"]);
    await expect(refused).rejects.toThrow();
  });

  it("makes its topic anew after somebody deleted it", async () => {
    const deleted = `${kafka.prefix}deleted`;
    const writer = open([deleted]);
    await writer.send(deleted, [{ key: null, value: "before" }]);
    await kafka.admin.deleteTopics({ topics: [deleted] });
    await expect.poll(() => kafka.admin.listTopics()).not.toContain(deleted);
    await expect(writer.send(deleted, [{ key: null, value: "refused" }])).rejects.toThrow();
    await writer.send(deleted, [{ key: null, value: "after" }]);
    await writer.stop();
    const values = (await kafka.readAll(deleted)).map(({ value }) => value?.toString());
    expect(values).toEqual(["after"]);
  });

  it("writes what waits before it stops, and takes nothing after that", async () => {
    const own = `${kafka.prefix}stopping`;
    const other = open([own]);
    const sends = ["1", "2", "3"].map((value) => other.send(own, [{ key: "k", value }]));
    await other.stop();
    await Promise.all(sends);
    expect(await kafka.readAll(own)).toHaveLength(3);
    await expect(other.send(own, [{ key: "k", value: "4" }])).rejects.toThrow("stopped");
  });
});
