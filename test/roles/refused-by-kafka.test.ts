/** What becomes of a process whose account Kafka does not let in, on a real broker. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startChildProduct } from "../support/child-product.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const START_TIMEOUT_MS = 60_000;

let kafka: TestKafka;
let store: TestRedis;

beforeAll(async () => {
  [kafka, store] = await Promise.all([openTestKafka(), openTestRedis()]);
});
afterAll(async () => {
  await Promise.all([kafka.close(), store.close()]);
});

/** The run's broker knows no accounts at all. */
const start = (roles: string) =>
  startChildProduct({
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    REDIS_URL: store.url,
    KEY_PREFIX: store.prefix,
    SHARDS: String(store.keyspace.shards),
    JWT_SECRET: "a-secret-for-tests-that-is-long-enough-for-hs256",
    ROLES: roles,
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_SASL_MECHANISM: "plain",
    KAFKA_SASL_USERNAME: "nobody",
    KAFKA_SASL_PASSWORD: "wrong",
  });

it(
  "one with other roles serves on, and its health says that nothing is read",
  async () => {
    const product = start("all");
    const url = await product.url;
    await expect
      .poll(() => product.log().match(/kafka\.refused/g)?.length, { timeout: START_TIMEOUT_MS })
      .toBe(2);
    const answer = await fetch(`${url}/health`);
    const report = z.looseObject({ kafka: z.string(), redis: z.string() });
    expect(report.parse(await answer.json())).toMatchObject({
      kafka: "unhealthy",
      redis: "healthy",
    });
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await product.stop()).toBe(0);
  },
  START_TIMEOUT_MS,
);

it(
  "one that only reads events ends, and its log says why",
  async () => {
    const product = start("ingest,projector");
    await expect.poll(() => product.log(), { timeout: START_TIMEOUT_MS }).toContain("cannot go on");
    expect(product.log()).toContain("kafka.consumer_stopped");
    expect(await product.stop()).toBe(1);
  },
  START_TIMEOUT_MS,
);
