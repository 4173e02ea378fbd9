/** A reader of a piece of a topic: exactly that piece, in order, once, and nothing is left behind. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { createKafkaConnection } from "../../../src/platform/kafka/connection.ts";
import type { KafkaRecord } from "../../../src/platform/kafka/records.ts";
import {
  createTopicReader,
  TopicReadError,
  type TopicReader,
} from "../../../src/platform/kafka/topic-reader.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";

const RECORDS = 1_200;

let kafka: TestKafka;
let topic: string;
let reader: TopicReader;

function makeReader(clock: Parameters<typeof createTopicReader>[0]["clock"]): TopicReader {
  const settings = { servers: kafka.servers.split(","), clientId: "reader-test", ssl: false };
  const connection = createKafkaConnection(settings, createSilentLogger());
  return createTopicReader({ connection, group: `${kafka.prefix}desk`, clock });
}

beforeAll(async () => {
  kafka = await openTestKafka();
  topic = await kafka.createTopic("read-me", 2);
  reader = makeReader(createSystemClock());
  const values = Array.from({ length: RECORDS }, (_, index) => ({
    key: null,
    value: String(index),
    partition: index % 2,
    headers: { origin: "test" },
  }));
  await kafka.produce(topic, values);
});
afterAll(() => kafka.close());

const valuesOf = (records: readonly KafkaRecord[]): number[] =>
  records.map(({ value }) => Number(value?.toString()));

describe("a reader", () => {
  it("says where each partition begins and ends, and of no topic that it is none", async () => {
    expect(await reader.extent(topic)).toEqual([
      { partition: 0, from: 0n, to: 600n },
      { partition: 1, from: 0n, to: 600n },
    ]);
    expect(await reader.extent(`${topic}-not`)).toBeUndefined();
  });

  it("hands over all of it in order, in pieces that can be worked with", async () => {
    const chunks: KafkaRecord[][] = [];
    await reader.read(topic, (await reader.extent(topic)) ?? [], async (records) => {
      chunks.push([...records]);
    });
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(500);
    const records = chunks.flat();
    expect(records[0]?.headers["origin"]?.toString()).toBe("test");
    for (const parity of [0, 1]) {
      expect(valuesOf(records.filter(({ partition }) => partition === parity))).toEqual(
        Array.from({ length: RECORDS / 2 }, (_, index) => 2 * index + parity),
      );
    }
  });

  it("hands over nothing outside the ranges", async () => {
    const found: KafkaRecord[] = [];
    const ranges = [
      { partition: 0, from: 590n, to: 600n },
      { partition: 1, from: 3n, to: 5n },
    ];
    await reader.read(topic, ranges, async (records) => void found.push(...records));
    expect(valuesOf(found).toSorted((one, other) => one - other)).toEqual([
      7,
      9,
      ...Array.from({ length: 10 }, (_, index) => 1_180 + 2 * index),
    ]);
  });

  it("stops with what its handler throws, after no further record", async () => {
    let calls = 0;
    const reading = reader.read(topic, [{ partition: 0, from: 0n, to: 600n }], async () => {
      calls += 1;
      throw new Error("enough");
    });
    await expect(reading).rejects.toThrow("enough");
    expect(calls).toBe(1);
  });

  it("does not wait for ever for what never comes", async () => {
    const clock = createManualClock();
    const beyond = [{ partition: 0, from: 600n, to: 601n }];
    const reading = makeReader(clock).read(topic, beyond, async () => {});
    let failure: unknown;
    reading.catch((error: unknown) => (failure = error));
    await expect
      .poll(() => {
        // So slowly that it is let into its group meanwhile.
        clock.advance(1_000);
        return failure;
      })
      .toBeInstanceOf(TopicReadError);
  });

  it("reads a record with tens of thousands of headers as any other", async () => {
    const many = await kafka.createTopic("many-headers");
    const names = Array.from({ length: 30_000 }, (_, index) => `h${index}`);
    const headers = Object.fromEntries(names.map((name) => [name, name]));
    await kafka.produce(many, [{ key: null, value: "many", headers }]);
    const read: KafkaRecord[] = [];
    await reader.read(many, (await reader.extent(many)) ?? [], async (records) => {
      read.push(...records);
    });
    expect(Object.keys(read[0]?.headers ?? {})).toEqual(names);
    expect(read[0]?.headers["h29999"]?.toString()).toBe("h29999");
  });

  it("leaves no group behind", async () => {
    const { groups } = await kafka.admin.listGroups();
    expect(groups.filter(({ groupId }) => groupId.startsWith(kafka.prefix))).toEqual([]);
  });
});
