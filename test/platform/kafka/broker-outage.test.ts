/** A broker that is not there, goes away and comes back: nothing is lost, and all resumes by itself. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { createKafkaConnection } from "../../../src/platform/kafka/connection.ts";
import type { KafkaConsumer } from "../../../src/platform/kafka/consumer.ts";
import {
  createKafkaProducer,
  type RunningKafkaProducer,
} from "../../../src/platform/kafka/producer.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { connectTestKafka, startOwnBroker, type OwnBroker } from "../../support/kafka.ts";
import { createMember } from "../../support/kafka-members.ts";

const TOPIC = "outage";
const GROUP = "outage.group";
/** A broker takes seconds to come up, several times over, on a machine that does other things too. */
const OUTAGE_TIMEOUT_MS = 180_000;

let broker: OwnBroker;
let consumer: KafkaConsumer;
let producer: RunningKafkaProducer;
let seen: string[];

beforeEach(async () => {
  broker = await startOwnBroker({ started: false });
  const logger = createSilentLogger();
  seen = [];
  producer = createKafkaProducer({
    connection: createKafkaConnection(
      { servers: [broker.servers], clientId: "test", ssl: false },
      logger,
    ),
    topics: [TOPIC],
    partitions: 4,
    clock: createSystemClock(),
    logger,
  });
  consumer = createMember({
    servers: broker.servers,
    groupId: GROUP,
    topics: [TOPIC],
    async onChunk(records) {
      seen.push(...records.map(({ value }) => value?.toString() ?? ""));
    },
  });
});
afterEach(async () => {
  await consumer.stop();
  await producer.stop();
  await broker.close();
});

/** As callers do: what was refused is sent again until it is taken. */
async function sendUntilTaken(from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: String((from + index) % 10),
    value: String(from + index),
  }));
  for (;;) {
    try {
      await producer.send(TOPIC, records);
      return;
    } catch {
      // The client has waited between its own tries already.
    }
  }
}

const distinct = (): number[] => [...new Set(seen)].map(Number).toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("a service that starts before its broker", { timeout: OUTAGE_TIMEOUT_MS }, () => {
  it("is connecting, says so, and reads as soon as the broker is there", async () => {
    consumer.start();
    expect(consumer.state()).toEqual({ status: "connecting", partitions: [] });
    await expect(producer.send(TOPIC, [{ key: "k", value: "early" }])).rejects.toThrow();
    expect(consumer.state().status).toBe("connecting");

    await broker.start();
    await sendUntilTaken(0, 100);
    await expect.poll(() => distinct()).toEqual(upTo(100));
    expect(consumer.state().status).toBe("consuming");
  });

  it("can be stopped while it waits", async () => {
    consumer.start();
    await consumer.stop();
    expect(consumer.state().status).toBe("stopped");
  });
});

describe("while a broker is away", () => {
  it(
    "many callers are refused together, not one after another",
    { timeout: OUTAGE_TIMEOUT_MS },
    async () => {
      await broker.start();
      await sendUntilTaken(0, 10);
      await broker.stop();
      const records = [{ key: "k", value: "refused" }];
      // One after another, each after the client's own tries, would take many minutes.
      const sends = Array.from({ length: 200 }, () => producer.send(TOPIC, records));
      const results = await Promise.allSettled(sends);
      expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    },
  );
});

describe.each(["stop", "kill"] as const)("a broker that ends by %s in mid-stream", (how) => {
  it(
    "costs nothing: what was written is read, and the group goes on where it was",
    { timeout: OUTAGE_TIMEOUT_MS },
    async () => {
      await broker.start();
      consumer.start();
      await sendUntilTaken(0, 500);
      const kafka = await connectTestKafka(broker.servers);
      const committed = async (): Promise<number> =>
        (await kafka.committed(GROUP, TOPIC)).reduce((sum, offset) => sum + Math.max(0, offset), 0);
      // A retry of the producer's may have written some twice.
      const before = (await kafka.readAll(TOPIC)).length;
      await expect.poll(committed).toBe(before);

      const sending = sendUntilTaken(500, 500);
      await broker[how]();
      await broker.start();
      await sending;
      await expect.poll(() => distinct()).toEqual(upTo(1_000));
      const written = (await kafka.readAll(TOPIC)).length;
      await expect.poll(committed).toBe(written);
      await kafka.close();
      // The group did not start over: what was committed before is not read again.
      expect(seen.filter((value) => Number(value) < 500)).toHaveLength(before);
    },
  );
});
