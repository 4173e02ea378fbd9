/** What a consumer promises while nothing fails, while its handler does, and when it is stopped. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/platform/clock.ts";
import {
  createKafkaConnection,
  type KafkaSettings,
} from "../../../src/platform/kafka/connection.ts";
import { createKafkaConsumer, type KafkaConsumer } from "../../../src/platform/kafka/consumer.ts";
import type { KafkaRecord } from "../../../src/platform/kafka/records.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";
import { createMember } from "../../support/kafka-members.ts";
import { createManualClock } from "../../support/manual-clock.ts";

let kafka: TestKafka;
const consumers: KafkaConsumer[] = [];

beforeAll(async () => {
  kafka = await openTestKafka();
});
afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await kafka.close();
});

function start(topic: string, onChunk: (records: readonly KafkaRecord[]) => Promise<void>) {
  const groupId = `${topic}.group`;
  const consumer = createMember({ servers: kafka.servers, groupId, topics: [topic], onChunk });
  consumers.push(consumer);
  consumer.start();
  return { consumer, groupId };
}

/** `p0-000`, `p0-001` ... on partition 0, and so on for each partition. */
function numbered(partitions: number, count: number) {
  return Array.from({ length: partitions * count }, (_, index) => {
    const partition = index % partitions;
    const number = String(Math.floor(index / partitions)).padStart(4, "0");
    return { partition, key: null, value: `p${partition}-${number}` };
  });
}

const valuesOf = (records: readonly KafkaRecord[]): string[] =>
  records.map(({ value }) => value?.toString() ?? "");

describe("a consumer", () => {
  it("hands everything over once, each partition in order, and commits it", async () => {
    const topic = await kafka.createTopic("all", 3);
    await kafka.produce(topic, numbered(3, 700));
    const seen: string[] = [];
    const sizes: number[] = [];
    const { groupId } = start(topic, async (records) => {
      expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
      sizes.push(records.length);
      seen.push(...valuesOf(records));
    });
    await expect.poll(() => seen.length).toBe(2_100);
    expect(new Set(seen).size).toBe(2_100);
    for (const partition of [0, 1, 2]) {
      const own = seen.filter((value) => value.startsWith(`p${partition}-`));
      expect(own).toEqual(own.toSorted());
    }
    expect(Math.max(...sizes)).toBe(500);
    await expect.poll(() => kafka.committed(groupId, topic)).toEqual([700, 700, 700]);
  });

  it("commits nothing of a chunk before it is dealt with", async () => {
    const topic = await kafka.createTopic("commit-later");
    await kafka.produce(topic, numbered(1, 1_200));
    const gate = Promise.withResolvers<void>();
    const atWork: { readonly first: number; readonly committed: readonly number[] }[] = [];
    const { groupId } = start(topic, async (records) => {
      await gate.promise;
      const first = Number(records[0]?.offset);
      atWork.push({ first, committed: await kafka.committed(`${topic}.group`, topic) });
    });
    gate.resolve();
    await expect.poll(() => kafka.committed(groupId, topic)).toEqual([1_200]);
    expect(atWork.map(({ first }) => first)).toEqual([0, 500, 1_000]);
    for (const { first, committed } of atWork) {
      expect(Math.max(0, ...committed)).toBeLessThanOrEqual(first);
    }
  });

  it("shows how far behind it is", async () => {
    const topic = await kafka.createTopic("lag");
    await kafka.produce(topic, numbered(1, 600));
    const gate = Promise.withResolvers<void>();
    let chunks = 0;
    const { consumer } = start(topic, async () => {
      chunks += 1;
      if (chunks > 1) await gate.promise;
    });
    await expect
      .poll(() => consumer.state())
      .toEqual({
        status: "consuming",
        partitions: [{ topic, partition: 0, paused: false, lag: 100 }],
      });
    gate.resolve();
    await expect.poll(() => consumer.state().partitions[0]?.lag).toBe(0);
  });
});

describe("while the handler fails for one partition", () => {
  it("that one waits and gets the same records again, in order; the others go on", async () => {
    const topic = await kafka.createTopic("failing", 2);
    await kafka.produce(topic, numbered(2, 300));
    let isBroken = true;
    const seen: string[] = [];
    const refused: string[] = [];
    const { consumer, groupId } = start(topic, async (records) => {
      if (isBroken && records[0]?.partition === 0) {
        refused.push(valuesOf(records)[0] ?? "");
        throw new Error("Redis is down");
      }
      seen.push(...valuesOf(records));
    });
    await expect.poll(() => refused.length).toBeGreaterThanOrEqual(2);
    expect(new Set(refused)).toEqual(new Set(["p0-0000"]));
    expect(consumer.state().status).toBe("paused");
    expect(consumer.state().partitions).toContainEqual({
      topic,
      partition: 0,
      paused: true,
      lag: 300,
    });

    await kafka.produce(topic, [{ partition: 1, key: null, value: "p1-late" }]);
    await expect.poll(() => seen).toContain("p1-late");
    await expect.poll(() => kafka.committed(groupId, topic)).toEqual([-1, 301]);
    expect(seen.filter((value) => value.startsWith("p0-"))).toEqual([]);

    isBroken = false;
    await expect.poll(() => kafka.committed(groupId, topic)).toEqual([300, 301]);
    expect(seen.filter((value) => value.startsWith("p0-"))).toEqual(
      numbered(1, 300).map(({ value }) => value),
    );
    expect(consumer.state().status).toBe("consuming");
  });
});

describe("a consumer that hears nothing from the broker any more", () => {
  it("joins anew after a minute and a half, and reads on", async () => {
    const topic = await kafka.createTopic("stalled");
    const clock = createManualClock();
    const seen: string[] = [];
    const consumer = createMember({
      servers: kafka.servers,
      groupId: `${topic}.group`,
      topics: [topic],
      clock,
      onChunk: async (records) => void seen.push(...valuesOf(records)),
    });
    consumers.push(consumer);
    consumer.start();
    await kafka.produce(topic, [{ key: null, value: "before" }]);
    await expect.poll(() => seen).toEqual(["before"]);
    // The clock passes it all in one go, so that no answer of the broker comes in between.
    clock.advance(85_000);
    expect(consumer.state().status).toBe("consuming");
    clock.advance(100_000);
    await expect.poll(() => consumer.state().status).toBe("connecting");
    await expect.poll(() => consumer.state().status).toBe("consuming");
    await kafka.produce(topic, [{ key: null, value: "after" }]);
    await expect.poll(() => seen).toEqual(["before", "after"]);
  });
});

describe("a consumer that Kafka does not let in", () => {
  const logger = createSilentLogger();
  const connect = (sasl: Pick<KafkaSettings, "sasl">) =>
    createKafkaConnection(
      { servers: kafka.servers.split(","), clientId: "test", ssl: false, ...sasl },
      logger,
    );
  const refusing = () =>
    connect({ sasl: { mechanism: "plain", username: "nobody", password: "wrong" } });

  it("ends and says so, since another try would end the same", async () => {
    const topic = await kafka.createTopic("refused");
    const stopped = Promise.withResolvers<Error>();
    const consumer = createKafkaConsumer({
      connection: refusing(),
      groupId: `${topic}.group`,
      topics: [topic],
      partitions: 1,
      onChunk: () => Promise.reject(new Error("nothing can have been read")),
      onStopped: stopped.resolve,
      clock: createSystemClock(),
      logger,
    });
    consumer.start();
    expect((await stopped.promise).message).toMatch(/sasl/i);
    await consumer.stop();
    expect(consumer.state()).toEqual({ status: "stopped", partitions: [] });
  });

  it("tries on slowly where others need the process, and reads once it is let in", async () => {
    const topic = await kafka.createTopic("let-in");
    await kafka.produce(topic, [{ key: null, value: "waiting" }]);
    const [refused, allowed] = [refusing(), connect({})];
    let isAllowed = false;
    const errors: string[] = [];
    const seen: string[] = [];
    const clock = createManualClock();
    const consumer = createKafkaConsumer({
      connection: {
        servers: refused.servers,
        get client() {
          return isAllowed ? allowed.client : refused.client;
        },
      },
      groupId: `${topic}.group`,
      topics: [topic],
      partitions: 1,
      onChunk: async (records) => void seen.push(...valuesOf(records)),
      clock,
      logger: Object.assign(createSilentLogger(), {
        error: (_fields: object, text: string) => void errors.push(text),
      }),
    });
    consumers.push(consumer);
    consumer.start();
    await expect.poll(() => errors.length).toBe(1);
    expect(errors[0]).toContain("kafka.refused");
    expect(consumer.state()).toEqual({ status: "connecting", partitions: [] });

    isAllowed = true;
    clock.advance(29_000);
    expect(seen).toEqual([]);
    // The pause may be set a moment after the error was told.
    await expect
      .poll(() => {
        clock.advance(1_000);
        return seen;
      })
      .toEqual(["waiting"]);
    expect(errors).toHaveLength(1);
  });
});

describe("a stop", () => {
  it("in the middle of a chunk finishes and commits it, and takes no further one", async () => {
    const topic = await kafka.createTopic("stopped");
    await kafka.produce(topic, numbered(1, 1_500));
    const atWork = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const { consumer, groupId } = start(topic, async (records) => {
      atWork.resolve();
      await gate.promise;
      seen.push(...valuesOf(records));
    });
    await atWork.promise;
    const stopped = consumer.stop();
    gate.resolve();
    await stopped;
    expect(seen).toHaveLength(500);
    expect(await kafka.committed(groupId, topic)).toEqual([500]);
    expect(consumer.state()).toEqual({ status: "stopped", partitions: [] });
    // It has left: another member has the partition at once, not after a session has run out.
    const { groups } = await kafka.admin.describeGroups([groupId]);
    expect(groups[0]?.members).toEqual([]);
  });

  it("commits what was done a moment before, so that nobody reads it again", async () => {
    const topic = await kafka.createTopic("stopped-idle", 2);
    await kafka.produce(topic, numbered(2, 35));
    const all = Promise.withResolvers<void>();
    let seen = 0;
    const { consumer, groupId } = start(topic, async (records) => {
      seen += records.length;
      if (seen === 70) all.resolve();
    });
    await all.promise;
    await consumer.stop();
    expect(await kafka.committed(groupId, topic)).toEqual([35, 35]);
  });

  it("does not wait for a handler that is to be tried again later", async () => {
    const topic = await kafka.createTopic("stopped-paused");
    await kafka.produce(topic, numbered(1, 3));
    const { consumer, groupId } = start(topic, async () => {
      throw new Error("Redis is down");
    });
    await expect.poll(() => consumer.state().status).toBe("paused");
    await consumer.stop();
    expect(await kafka.committed(groupId, topic)).toEqual([-1]);
  });
});
