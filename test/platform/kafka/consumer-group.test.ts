/** Nothing is lost while members of a group come, go and die in the middle of the stream. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaConsumer } from "../../../src/platform/kafka/consumer.ts";
import type { KafkaRecord } from "../../../src/platform/kafka/records.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";
import { createMember, startChildMember, type ChildMember } from "../../support/kafka-members.ts";

const PARTITIONS = 6;
const ROUNDS = 30;
const RECORDS_A_ROUND = 60;
const TOTAL = ROUNDS * RECORDS_A_ROUND;

let kafka: TestKafka;
let folder: string;
const consumers: KafkaConsumer[] = [];
const children: ChildMember[] = [];

beforeAll(async () => {
  kafka = await openTestKafka();
  folder = await mkdtemp(path.join(tmpdir(), "schoolbell-members-"));
});
afterAll(async () => {
  await Promise.all(children.map((child) => child.kill()));
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await kafka.close();
  await rm(folder, { recursive: true, force: true });
});

/** `0`, `1` ... spread over all partitions. */
async function produceRound(topic: string, round: number): Promise<void> {
  const first = round * RECORDS_A_ROUND;
  await kafka.produce(
    topic,
    Array.from({ length: RECORDS_A_ROUND }, (_, index) => ({
      partition: index % PARTITIONS,
      key: null,
      value: String(first + index),
    })),
  );
}

function startMember(topic: string, onChunk: (records: readonly KafkaRecord[]) => Promise<void>) {
  const groupId = `${topic}.group`;
  const consumer = createMember({ servers: kafka.servers, groupId, topics: [topic], onChunk });
  consumers.push(consumer);
  consumer.start();
  return consumer;
}

const everything = Array.from({ length: TOTAL }, (_, index) => index);
const numbers = (values: Iterable<string>): number[] =>
  [...new Set(values)].map(Number).toSorted((one, other) => one - other);
const sum = (offsets: readonly number[]): number =>
  offsets.reduce((total, offset) => total + Math.max(0, offset), 0);

/** Each rebalance waits for all members, and a dead one is waited for until its session ends. */
const GROUP_TIMEOUT_MS = 180_000;

describe("a group of two members", { timeout: GROUP_TIMEOUT_MS }, () => {
  it("loses nothing, and repeats little, while one comes and goes again and again", async () => {
    const topic = await kafka.createTopic("rebalance", PARTITIONS);
    const seen: string[] = [];
    const onChunk = async (records: readonly KafkaRecord[]) => {
      seen.push(...records.map(({ value }) => value?.toString() ?? ""));
    };
    const steady = startMember(topic, onChunk);
    await expect.poll(() => steady.state().partitions).toHaveLength(PARTITIONS);
    for (let round = 0; round < ROUNDS; round += 1) {
      await produceRound(topic, round);
      if (round % 6 !== 0) continue;
      const visitor = startMember(topic, onChunk);
      await expect.poll(() => visitor.state().partitions).toHaveLength(PARTITIONS / 2);
      await expect.poll(() => steady.state().partitions).toHaveLength(PARTITIONS / 2);
      await produceRound(topic, round);
      await visitor.stop();
    }
    const written = TOTAL + (ROUNDS / 6) * RECORDS_A_ROUND;
    await expect
      .poll(async () => sum(await kafka.committed(`${topic}.group`, topic)))
      .toBe(written);
    expect(numbers(seen)).toEqual(everything);
    // A repetition is allowed: what was in hand at a rebalance. A group that starts over is not.
    expect(seen.length - written).toBeLessThan(written / 4);
  });

  it("loses nothing when one of them is killed in the middle of a chunk", async () => {
    const topic = await kafka.createTopic("killed", PARTITIONS);
    const seen: string[] = [];
    const survivor = startMember(topic, async (records) => {
      seen.push(...records.map(({ value }) => value?.toString() ?? ""));
    });
    await expect.poll(() => survivor.state().partitions).toHaveLength(PARTITIONS);
    const victim = startChildMember({
      servers: kafka.servers,
      groupId: `${topic}.group`,
      topics: [topic],
      file: path.join(folder, "victim"),
      chunkMs: 50,
    });
    children.push(victim);
    await expect.poll(() => survivor.state().partitions).toHaveLength(PARTITIONS / 2);
    for (let round = 0; round < ROUNDS; round += 1) {
      await produceRound(topic, round);
      if (round !== 5) continue;
      await expect.poll(async () => (await victim.handled()).length).toBeGreaterThan(0);
      await victim.kill();
    }
    await expect.poll(async () => sum(await kafka.committed(`${topic}.group`, topic))).toBe(TOTAL);
    const byVictim = await victim.handled();
    expect(numbers([...seen, ...byVictim])).toEqual(everything);
    expect(survivor.state().partitions).toHaveLength(PARTITIONS);
    expect(seen.length + byVictim.length - TOTAL).toBeLessThan(TOTAL / 4);
  });
});

describe("a member on its own", { timeout: GROUP_TIMEOUT_MS }, () => {
  it("goes on where the one before it was killed", async () => {
    const topic = await kafka.createTopic("successor", PARTITIONS);
    const settings = {
      servers: kafka.servers,
      groupId: `${topic}.group`,
      topics: [topic],
      chunkMs: 20,
    };
    const first = startChildMember({ ...settings, file: path.join(folder, "first") });
    children.push(first);
    for (let round = 0; round < ROUNDS; round += 1) await produceRound(topic, round);
    await expect
      .poll(async () => sum(await kafka.committed(settings.groupId, topic)))
      .toBeGreaterThan(0);
    await first.kill();
    const before = await first.handled();

    const seen: string[] = [];
    startMember(topic, async (records) => {
      seen.push(...records.map(({ value }) => value?.toString() ?? ""));
    });
    await expect.poll(async () => sum(await kafka.committed(settings.groupId, topic))).toBe(TOTAL);
    expect(numbers([...before, ...seen])).toEqual(everything);
    expect(seen.length).toBeLessThan(TOTAL);
  });
});

it("a member that is told to stop does not wait until the group has found out who is gone", async () => {
  const topic = await kafka.createTopic("lingering");
  await kafka.produce(topic, [{ key: null, value: "1" }]);
  const groupId = `${topic}.group`;
  const settings = { servers: kafka.servers, groupId, topics: [topic], sessionTimeoutMs: 60_000 };
  const ghost = startChildMember({ ...settings, file: path.join(folder, "ghost"), chunkMs: 1 });
  children.push(ghost);
  await expect.poll(() => ghost.handled()).toEqual(["1"]);
  await ghost.kill();
  const stateOf = async (): Promise<string | undefined> =>
    (await kafka.admin.describeGroups([groupId])).groups[0]?.state;

  const member = createMember({ ...settings, onChunk: async () => {} });
  member.start();
  await expect.poll(stateOf).toBe("PreparingRebalance");
  await member.stop();
  expect(member.state().status).toBe("stopped");
  expect(await stateOf()).toBe("PreparingRebalance");
});
