/** Records that others compressed, on a real broker: topics that compress make no difference to a reader. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { createKafkaConnection } from "../../../src/platform/kafka/connection.ts";
import { lz4Decompress } from "../../../src/platform/kafka/lz4.ts";
import { snappyDecompress } from "../../../src/platform/kafka/snappy.ts";
import { createTopicReader } from "../../../src/platform/kafka/topic-reader.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";

const LIMIT = 1_048_576;

let kafka: TestKafka;

beforeAll(async () => {
  kafka = await openTestKafka();
});
afterAll(() => kafka.close());

/** Bytes that no compression makes smaller, the same ones in each run. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash("sha256").update(String(index)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

const event = JSON.stringify({
  teacher_id: "teacher-1",
  payload: { batch_name: "Klass 9b – åäö" },
});
const VALUES = [
  Buffer.from("a"),
  Buffer.from(event.repeat(50)),
  Buffer.alloc(200_000, "x"),
  noise(100_000),
  Buffer.concat([noise(70_000), noise(70_000), Buffer.from(event)]),
];

describe.each(["gzip", "snappy", "lz4", "zstd"])("a topic compressed with %s", (compression) => {
  it("is read as it was written", async () => {
    const topic = `${kafka.prefix}${compression}`;
    const configEntries = [{ name: "compression.type", value: compression }];
    await kafka.admin.createTopics({ topics: [{ topic, configEntries }], waitForLeaders: true });
    await kafka.produce(
      topic,
      VALUES.map((value) => ({ key: "k", value, headers: { origin: "test" } })),
    );
    const settings = { servers: kafka.servers.split(","), clientId: "compression", ssl: false };
    const reader = createTopicReader({
      connection: createKafkaConnection(settings, createSilentLogger()),
      group: `${kafka.prefix}compression`,
      clock: createSystemClock(),
    });
    const digests: string[] = [];
    await reader.read(topic, (await reader.extent(topic)) ?? [], async (records) => {
      digests.push(...records.map(({ value }) => digestOf(value)));
    });
    expect(digests).toEqual(VALUES.map(digestOf));
  });
});

function digestOf(value: Buffer | null): string {
  return createHash("sha256")
    .update(value ?? "")
    .digest("hex");
}

describe("what only looks compressed", () => {
  /** Magic, flags for linked blocks, size of blocks, checksum of the header. */
  const LZ4_HEADER = Buffer.from("04224d18404000", "hex");
  const lz4 = (block: string): Buffer => {
    const bytes = Buffer.from(block, "hex");
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return Buffer.concat([LZ4_HEADER, size, bytes, Buffer.alloc(4)]);
  };

  it.each([
    ["an LZ4 block that refers to what is before the beginning", () => lz4("10610500")],
    ["an LZ4 literal that is cut off", () => lz4("f061")],
    ["no LZ4 at all", () => Buffer.from("these are words")],
  ])("%s is refused", (_what, compressed) => {
    expect(() => lz4Decompress(compressed(), LIMIT)).toThrow(RangeError);
  });

  it.each([
    ["a Snappy block that refers to what is before the beginning", "05006101ff"],
    ["a Snappy literal that is cut off", "05f0ff61"],
    ["a Snappy block without its first byte", ""],
  ])("%s is refused", (_what, compressed) => {
    expect(() => snappyDecompress(Buffer.from(compressed, "hex"), LIMIT)).toThrow(RangeError);
  });

  it("cannot grow beyond what is allowed", () => {
    // One literal, and a repetition of it whose length goes on for many bytes.
    expect(() => lz4Decompress(lz4(`1f610100${"ff".repeat(5_000)}00`), LIMIT)).toThrow(/more than/);
    expect(lz4Decompress(lz4(`1f610100${"ff".repeat(50)}00`), LIMIT).toString()).toMatch(
      /^a{12770}$/,
    );
  });
});
