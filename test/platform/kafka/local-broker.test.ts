/** The broker that `npm run kafka` and the tests use: it starts, keeps its data, and never stays behind. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";

describe("a topic of the run's broker", () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await openTestKafka();
  });
  afterAll(() => kafka.close());

  it("gives back what was written, partition by partition, in order", async () => {
    const topic = await kafka.createTopic("round", 2);
    await kafka.produce(topic, [
      { key: "a", value: "1", partition: 1, headers: { trace: "t1" } },
      { key: "b", value: "2", partition: 0 },
      { key: "a", value: null, partition: 1 },
    ]);
    const records = await kafka.readAll(topic);
    expect(records.map(({ partition, value }) => [partition, value?.toString() ?? null])).toEqual([
      [0, "2"],
      [1, "1"],
      [1, null],
    ]);
    expect(records[1]?.headers["trace"]?.toString()).toBe("t1");
  });

  it("is empty where nothing was written, or nobody made it", async () => {
    expect(await kafka.readAll(await kafka.createTopic("quiet"))).toEqual([]);
    expect(await kafka.readAll(`${kafka.prefix}unheard-of`)).toEqual([]);
  });
});
