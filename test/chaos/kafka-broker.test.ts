/** The broker restarts, and readers come and go, in the middle of a stream: nothing is lost. */
import { afterEach, beforeEach, it } from "vitest";
import { openTestKafka, startOwnBroker, type OwnBroker, type TestKafka } from "../support/kafka.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { FAULTS } from "../trace/faults.ts";
import { expectTermToComeThrough, useLongTests } from "./kafka-term.ts";

let store: TestRedis;
let broker: OwnBroker | undefined;
let kafka: TestKafka | undefined;

useLongTests();
beforeEach(async () => {
  store = await openTestRedis();
});
afterEach(async () => {
  await Promise.all([store.close(), broker?.close(), kafka?.close()]);
  broker = undefined;
  kafka = undefined;
});

const announce = (): void => {};

it("while the broker restarts, every event rings once", async () => {
  const own = await startOwnBroker();
  broker = own;
  await expectTermToComeThrough({
    servers: own.servers,
    topicPrefix: "",
    redisUrl: store.url,
    keyspace: store.keyspace,
    processes: { ingest: 2, projector: 2 },
    disturb: (scene) => FAULTS["broker-restart"](scene, { broker: own, announce }),
  });
});

it("while a third reader comes and the first goes, every event rings once", async () => {
  kafka = await openTestKafka();
  await expectTermToComeThrough({
    servers: kafka.servers,
    topicPrefix: kafka.prefix,
    redisUrl: store.url,
    keyspace: store.keyspace,
    processes: { ingest: 2, projector: 1 },
    disturb: (scene) => FAULTS.rebalance(scene, { announce }),
  });
});
