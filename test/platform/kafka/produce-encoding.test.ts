/** What is written to Kafka is, byte for byte, what its client would write, and lies where it would. */
import { createRequire } from "node:module";
import fc from "fast-check";
import { Partitioners, type Message } from "kafkajs";
import { beforeAll, describe, expect, it } from "vitest";
import { crc32c } from "../../../src/platform/kafka/crc32c.ts";
import { createKeyPartitioner } from "../../../src/platform/kafka/key-partitioner.ts";
import { encodeRecordsAtOnce } from "../../../src/platform/kafka/produce-encoding.ts";

interface Request {
  readonly request: { encode(): Promise<{ readonly buffer: Buffer }> };
}
type Make = (args: Record<string, unknown>) => Request;

const load = createRequire(import.meta.url);
const VERSIONS = [3, 4, 5, 6, 7];
const original = new Map<number, Make>();

function protocolOf(version: number): Make {
  const { protocol }: { protocol: (which: { version: number }) => Make } = load(
    "kafkajs/src/protocol/requests/produce",
  );
  return protocol({ version });
}

beforeAll(() => {
  for (const version of VERSIONS) original.set(version, protocolOf(version));
  encodeRecordsAtOnce();
});

const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const content = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  bytes(40),
  // Lengths that need more than one byte to be told.
  fc.constantFrom("x".repeat(63), "x".repeat(64), "ü".repeat(8_192), "x".repeat(70_000)),
);
const message = fc.record(
  {
    key: fc.option(content),
    value: fc.option(content),
    headers: fc.dictionary(fc.string({ maxLength: 80 }), content, { maxKeys: 3 }),
  },
  { requiredKeys: ["key", "value"] },
);
const partitions = fc
  .array(fc.array(message, { minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 3 })
  .map((lists) => lists.map((messages, partition) => ({ partition, messages })));

async function encoded(make: Make | undefined, args: Record<string, unknown>): Promise<Buffer> {
  if (make === undefined) throw new Error("no such version");
  return (await make(args).request.encode()).buffer;
}

describe("a request to write", () => {
  it("is the same bytes as the client's own", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...VERSIONS),
      partitions,
      fc.integer({ min: -1, max: 1 }),
      async (version, all, acks) => {
        const now = Date.now();
        const args = (messages: (one: Message) => Message) => ({
          acks,
          timeout: 8_000,
          compression: 0,
          transactionalId: undefined,
          topicData: [
            {
              topic: "schülerglocke",
              partitions: all.map((one) => ({ ...one, messages: one.messages.map(messages) })),
            },
          ],
        });
        const ours = await encoded(
          protocolOf(version),
          args((one) => one),
        );
        // The client's own takes the time from the records, where they have one.
        const at = timeIn(ours);
        expect(at).toBeGreaterThanOrEqual(now);
        const theirs = await encoded(
          original.get(version),
          args((one) => ({ ...one, timestamp: String(at) })),
        );
        expect(ours.equals(theirs)).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it.each<[string, Record<string, unknown>, Partial<Message>]>([
    ["compresses", { compression: 1 }, {}],
    ["belongs to a transaction", { transactionalId: "t" }, {}],
    ["has a time of its own", {}, { timestamp: "1789461000000" }],
    ["has a header twice", {}, { headers: { twice: ["1", "2"] } }],
  ])("that %s is left to the client", async (_what, extra, own) => {
    const args = {
      acks: -1,
      timeout: 8_000,
      topicData: [
        {
          topic: "t",
          partitions: [{ partition: 0, messages: [{ key: "k", value: "v", ...own }] }],
        },
      ],
      ...extra,
    };
    const [ours, theirs] = await inOneMillisecond(async () => [
      await encoded(protocolOf(7), args),
      await encoded(original.get(7), args),
    ]);
    expect(ours).toEqual(theirs);
  });
});

/** Both have the time in them. */
async function inOneMillisecond(encode: () => Promise<Buffer[]>): Promise<Buffer[]> {
  for (;;) {
    const startedAt = Date.now();
    const encoded = await encode();
    if (Date.now() === startedAt) return encoded;
  }
}

/** Behind two lengths, the topic's name and the beginning of the batch. */
function timeIn(request: Buffer): number {
  const topicBytes = request.readInt16BE(12);
  return Number(request.readBigInt64BE(14 + topicBytes + 4 + 8 + 27));
}

describe("a key", () => {
  it("belongs to the partition that the client's own choice is", () => {
    const [ours, theirs] = [createKeyPartitioner(), Partitioners.DefaultPartitioner()];
    const property = fc.property(
      fc.oneof(fc.string({ unit: "grapheme" }), fc.uuid(), bytes(30)),
      fc.integer({ min: 1, max: 50 }),
      (key, count) => {
        const args = {
          topic: "t",
          message: { key, value: null },
          partitionMetadata: Array.from({ length: count }, (_, partitionId) => ({
            partitionId,
            leader: 1,
            partitionErrorCode: 0,
            replicas: [1],
            isr: [1],
          })),
        };
        expect(ours(args)).toBe(theirs(args));
      },
    );
    fc.assert(property, { numRuns: 1_000 });
  });
});

describe("a checksum", () => {
  it("is the one that others calculate", () => {
    // RFC 3720, B.4.
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe("8a9136aa");
    expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe("62a8ab43");
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, byte) => byte)))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from("123456789")).toString(16)).toBe("e3069283");
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });
});
