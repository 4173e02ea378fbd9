/** `dlq` while Kafka or Redis is away, or not there at all: what can be done is done, the rest is said. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { makeDeadLetterCorner, type DeadLetterCorner } from "./dead-letter-corner.ts";

let kafka: TestKafka;
let store: TestRedis;
let corner: DeadLetterCorner;

beforeAll(async () => {
  [kafka, store] = await Promise.all([openTestKafka(), openTestRedis()]);
});
afterAll(async () => {
  await Promise.all([kafka.close(), store.close()]);
});

const texts = (records: readonly KafkaRecord[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

describe("without Redis", () => {
  beforeAll(async () => {
    corner = await makeDeadLetterCorner({ kafka, store }, "no-redis");
    await corner.putAside({ value: Buffer.from("bad") });
  });
  /** Nobody listens there. */
  const AWAY = { REDIS_URL: "redis://127.0.0.1:1/0" };

  it("events are listed all the same, and it is said what is missing", async () => {
    const { code, stdout, stderr } = await corner.dlq(["list"], AWAY);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^0:0 .* \?$/m);
    expect(stderr).toMatch(
      /^The notifications are not shown: Redis at 127\.0\.0\.1:1 cannot be reached: .*\.\n$/,
    );
  });

  it("nothing goes back that may have gone back before, unless that is said", async () => {
    const refused = await corner.dlq(["redrive", "0:0"], AWAY);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^It is not known which events were sent back before: Redis at /,
    );
    expect(await kafka.readAll(corner.topic)).toEqual([]);

    expect((await corner.dlq(["redrive", "0:0", "--again"], AWAY)).code).toBe(0);
    expect(texts(await kafka.readAll(corner.topic))).toEqual(["bad"]);
  });
});

describe("without Kafka", () => {
  it("it is said that none answers, in one line", async () => {
    const { code, stdout, stderr } = await corner.dlq(["list", "--kind", "events"], {
      KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1",
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^The events are not shown: Kafka at 127\.0\.0\.1:1 cannot be reached: .+\.\n$/,
    );
  });

  it("the other kind is listed where Kafka is off, and that is no failure", async () => {
    const { code, stdout, stderr } = await corner.dlq(["list"], { KAFKA_BOOTSTRAP_SERVERS: "" });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Notifications: none that failed.\n" });
    expect(stderr).toBe("The events are not shown: KAFKA_BOOTSTRAP_SERVERS is not set.\n");
  });

  it("a topic that is not there yet means that nothing was put aside", async () => {
    const env = { KAFKA_DEAD_LETTER_TOPIC: "never-made" };
    const { code, stdout } = await corner.dlq(["list", "--kind", "events"], env);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Events: none, there is no topic ${kafka.prefix}never-made yet.\n`,
    });
  });
});
