/** Redis goes away in the middle of a stream: partitions wait, and nothing is committed unkept. */
import { afterEach, beforeEach, it } from "vitest";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { FAULTS } from "../trace/faults.ts";
import { startRedisServer, type RedisServer } from "../trace/redis-server.ts";
import type { Scene } from "../trace/replay.ts";
import { expectTermToComeThrough, useLongTests } from "./kafka-term.ts";
import { soon } from "./soon.ts";

const PREFIX = "away:";
const SHARDS = 4;
/** So that what was under way when Redis stopped is due soon after it is back. */
const SHORT_TIMES = {
  DUE_LEASE_MS: "3000",
  PROVIDER_TIMEOUT_MS: "2000",
  QUEUE_LOCK_MS: "2000",
  QUEUE_STALL_MS: "1000",
};

let kafka: TestKafka;
let redis: RedisServer;

useLongTests();
beforeEach(async () => {
  [kafka, redis] = await Promise.all([openTestKafka(), startRedisServer(() => {})]);
});
afterEach(async () => {
  await Promise.all([kafka.close(), redis.close()]);
});

/** Both readers have met the failure and wait. */
async function untilReadersWait({ cast }: Scene): Promise<void> {
  await soon(() => {
    for (const child of [...cast.running("ingest"), ...cast.running("projector")]) {
      if (!child.log().includes("kafka.chunk_failed")) throw new Error("it has not noticed yet");
    }
    return Promise.resolve();
  });
}

it("while Redis is stopped nothing is committed that it does not hold, and all arrives after", async () => {
  await expectTermToComeThrough({
    servers: kafka.servers,
    topicPrefix: kafka.prefix,
    redisUrl: redis.url,
    keyspace: createKeyspace({ shards: SHARDS, prefix: PREFIX }),
    inOrder: false,
    env: SHORT_TIMES,
    disturb: (scene) =>
      FAULTS["redis-stop"](scene, {
        redis,
        whileRedisIsAway: untilReadersWait,
        announce: () => {},
      }),
  });
});
