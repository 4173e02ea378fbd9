/** A network that swallows what the node is sent, and says nothing: the node notices, and misses nothing. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLink, type NetworkLink } from "../chaos/suite/stage/network-link.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { eventually, startTestNode, type TestNode } from "./test-node.ts";

/** The node asks whether it is still listened to, and takes silence for an answer. */
const CHECK_MS = 5_000;

const clock = createManualClock();
let store: TestRedis;
let link: NetworkLink;
let publisher: TestPublisher;
let node: TestNode;

beforeAll(async () => {
  store = await openTestRedis();
  link = await startLink(store.url);
  publisher = await createTestPublisher({ ...store, clock });
  node = await startTestNode({ ...store, clock, subscriberUrl: link.url });
});
afterAll(async () => {
  await node.stop();
  publisher.close();
  await link.close();
  await store.close();
});

it("a silent subscription is given up, and what passed by comes when there is another", async () => {
  const client = await node.connect("anna");
  await client.next("connected");
  await publisher.publish("anna");
  await client.nextNotification();
  await link.blackhole();
  await publisher.publish("anna");
  clock.advance(CHECK_MS);
  expect(node.gateway.isSubscribed()).toBe(true);
  clock.advance(CHECK_MS);
  await eventually(() => node.gateway.isSubscribed()).toBe(false);
  await link.heal();
  await eventually(() => node.gateway.isSubscribed()).toBe(true);
  await eventually(() => client.replayIds()).toEqual(["1", "2"]);
  await publisher.publish("anna");
  await eventually(() => client.replayIds()).toEqual(["1", "2", "3"]);
});

it("a stop does not wait for it", async () => {
  const other = await startTestNode({ ...store, clock, nodeId: "n2", subscriberUrl: link.url });
  await link.blackhole();
  const stopped = other.stop();
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
  });
  await eventually(() => {
    clock.advance(1_000);
    return isStopped;
  }).toBe(true);
  await link.heal();
});

it("one that answers is kept", async () => {
  const client = await node.connect("bo");
  await client.next("connected");
  // What the test before it left in the hole closes by and by; this node's own is what stays.
  await eventually(() => link.connections()).toBe(1);
  for (let check = 0; check < 4; check += 1) {
    clock.advance(CHECK_MS);
    // What comes behind the answer, by the same connection, shows that it is there.
    await publisher.publish("bo");
    await client.nextNotification();
  }
  expect(node.gateway.isSubscribed()).toBe(true);
  expect(link.connections()).toBe(1);
});
