/** What happens to topics that are not there. */
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureTopics } from "../../../src/platform/kafka/topics.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { openTestKafka, type TestKafka } from "../../support/kafka.ts";

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await openTestKafka();
});
afterAll(() => kafka.close());

async function partitionsOf(topics: readonly string[]): Promise<number[]> {
  const { topics: found } = await kafka.admin.fetchTopicMetadata({ topics: [...topics] });
  return topics.map(
    (topic) => found.find(({ name }) => name === topic)?.partitions.length ?? Number.NaN,
  );
}

function createLog() {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { lines, logger: createLogger({ level: "info", destination }) };
}

describe("missing topics", () => {
  it("are made, those that are there are left as they are", async () => {
    const { lines, logger } = createLog();
    const present = await kafka.createTopic("present", 2);
    const topics = [present, `${kafka.prefix}one`, `${kafka.prefix}two`];
    const clock = createSystemClock();
    const wanted = { topics, partitions: 5, clock };
    expect(await ensureTopics(kafka.admin, wanted, logger)).toEqual(topics);
    expect(await partitionsOf(topics)).toEqual([2, 5, 5]);
    expect(lines.join("")).toContain("kafka.topics_created");
    expect(await ensureTopics(kafka.admin, wanted, logger)).toEqual(topics);
    expect(lines).toHaveLength(1);
  });

  it("are made once by many that start at the same moment", async () => {
    const { logger } = createLog();
    const topics = [`${kafka.prefix}shared`];
    const wanted = { topics, partitions: 3, clock: createSystemClock() };
    const results = await Promise.all(
      Array.from({ length: 5 }, () => ensureTopics(kafka.admin, wanted, logger)),
    );
    expect(results).toEqual(Array.from({ length: 5 }, () => topics));
    expect(await partitionsOf(topics)).toEqual([3]);
  });

  it("that cannot be made are named in a warning, with the broker's reason", async () => {
    const { lines, logger } = createLog();
    const refused = `${kafka.prefix}not allowed`;
    const allowed = `${kafka.prefix}allowed`;
    const immediately = { after: (_ms: number, task: () => void) => (task(), () => {}) };
    const found = await ensureTopics(
      kafka.admin,
      { topics: [refused, allowed], partitions: 1, clock: immediately },
      logger,
    );
    expect(found).toEqual([allowed]);
    expect(lines.join("")).toContain("kafka.topics_missing");
    expect(lines.join("")).toContain(refused);
    expect(lines.join("")).toMatch(/"reason":"[^"]*(invalid|topic)/i);
  });
});
