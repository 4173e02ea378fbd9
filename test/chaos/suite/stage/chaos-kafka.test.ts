/** Whatever befalls the broker and the group: who reads it gets every record, some of them twice. */
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { createMember } from "../../../support/kafka-members.ts";
import { connectTestKafka, type TestKafka } from "../../../support/kafka.ts";
import { startChaosKafka, type ChaosKafka, type ReadingGroup } from "./chaos-kafka.ts";

/** A broker that starts twice on a machine that does other things too. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const RECORDS = 40;

let chaos: ChaosKafka;
let kafka: TestKafka;

beforeAll(async () => {
  chaos = await startChaosKafka();
  kafka = await connectTestKafka(chaos.servers);
});
afterAll(async () => {
  await kafka.close();
  await chaos.close();
});

/** A reader in a group of its own, and what it has handled so far. */
async function openReader(name: string) {
  const topic = await kafka.createTopic(name, 4);
  const group: ReadingGroup = { groupId: `${kafka.prefix}${name}`, topics: [topic] };
  const handled: string[] = [];
  const reader = createMember({
    ...group,
    servers: chaos.servers,
    onChunk: async (records) => {
      handled.push(...records.map(({ value }) => String(value)));
      return await Promise.resolve();
    },
  });
  reader.start();
  onTestFinished(async () => await reader.stop());
  const produce = async (word: string): Promise<string[]> => {
    const values = Array.from({ length: RECORDS }, (_, index) => `${word}-${index}`);
    await kafka.produce(
      topic,
      values.map((value) => ({ key: value, value })),
    );
    return values;
  };
  const handles = async (values: readonly string[]): Promise<void> => {
    await expect
      .poll(() => values.filter((value) => !handled.includes(value)), { timeout: 60_000 })
      .toEqual([]);
  };
  return { topic, group, reader, handled, produce, handles };
}

it("a stranger takes partitions away and gives them back, and commits nothing of them", async () => {
  const { group, reader, produce, handles } = await openReader("visited");
  await handles(await produce("before"));
  expect(reader.state().partitions).toHaveLength(4);

  const visit = chaos.visit(group, 2_000);
  await expect.poll(() => reader.state().partitions.length).toBe(2);
  // Half of these are the stranger's while it is there.
  const during = await produce("during");
  await visit;
  await handles(during);
});

it("a stranger that dies gives them back when the broker misses it", async () => {
  const { group, produce, handles } = await openReader("vanished");
  await handles(await produce("before"));
  const [during] = await Promise.all([produce("during"), chaos.vanish(group)]);
  await handles(during);
});

it("the broker killed and started again has every record that it took", async () => {
  const { produce, handles, handled } = await openReader("killed");
  const before = await produce("before");
  await chaos.kill();
  await chaos.start();
  await handles([...before, ...(await produce("after"))]);
  expect(handled.length).toBeGreaterThanOrEqual(2 * RECORDS);
});

it("repeated records are the same ones once more", async () => {
  const { topic, produce, handles, handled } = await openReader("repeated");
  const values = await produce("once");
  await handles(values);
  expect(await chaos.repeat(topic, 2)).toBe(RECORDS / 2);
  await expect.poll(() => handled.length).toBe(RECORDS * 1.5);
  const all = await kafka.readAll(topic);
  const places = new Map(all.map(({ value, partition }) => [String(value), partition]));
  expect(places.size).toBe(RECORDS);
  expect(all.filter(({ value, partition }) => places.get(String(value)) !== partition)).toEqual([]);
});
