/** Events from a real broker, with a Redis Cluster behind the product: users of all shards, each once. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { startProduct, type Product } from "../support/product.ts";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";
import { openClusterCorner } from "../support/redis.ts";
import { someone } from "./requests.ts";

const PROVISIONED = "huleedu.essay.content.provisioned.v1";
const OUTCOMES = "notifications.outcome.v1";
/** No node is taken for dead while this suite runs. */
const NO_FAILOVER_MS = 60_000;
const TEACHERS = 40;
const START_MS = 180_000;

let cluster: RedisCluster;
let kafka: TestKafka;
let product: Product;

beforeAll(async () => {
  [cluster, kafka] = await Promise.all([startRedisCluster(NO_FAILOVER_MS), openTestKafka()]);
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_CONSUMER_GROUP: `${kafka.prefix}group`,
    KAFKA_TOPIC_PARTITIONS: "1",
    DUE_POLL_MS: "25",
  };
  product = await startProduct(env, openClusterCorner(cluster.url));
}, START_MS);

afterAll(async () => {
  await product.stop();
  await Promise.all([kafka.close(), cluster.close()]);
});

it("a chunk of events for users of all shards rings once for each, and outcomes are told", async () => {
  const topic = `${kafka.prefix}${PROVISIONED}`;
  await expect.poll(() => kafka.admin.listTopics()).toContain(topic);
  const teachers = Array.from({ length: TEACHERS }, () => someone("teacher"));
  const now = new Date().toISOString();
  const records = teachers.map((teacher) => ({
    key: "k",
    value: JSON.stringify({
      event_id: `event-${teacher}`,
      event_type: PROVISIONED,
      event_timestamp: now,
      data: { timestamp: now, user_id: teacher, batch_id: `batch-${teacher}`, file_upload_id: "u" },
    }),
  }));
  await kafka.produce(topic, [...records, ...records]);

  const told = async (): Promise<string[]> => {
    const outcomes = await kafka.readAll(`${kafka.prefix}${OUTCOMES}`);
    return outcomes.map(({ key }) => String(key));
  };
  await expect
    .poll(async () => new Set(await told()), { timeout: 60_000 })
    .toEqual(new Set(teachers));
  const as = await product.token("boss", ["admin", "analytics:read"]);
  const { body } = await product.call("GET", "/analytics", { as });
  expect(body["total_notifications"]).toBe(TEACHERS);
});
