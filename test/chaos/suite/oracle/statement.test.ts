/** The whole account of a real product: taken from it, held to every promise, and wrong once it is tampered with. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestKafka, type TestKafka } from "../../../support/kafka.ts";
import { startProduct, type Product } from "../../../support/product.ts";
import { startPushService, type PushService } from "../../../support/push-service.ts";
import { openAudience, type Audience } from "../audience/audience.ts";
import { openDevices } from "../audience/devices.ts";
import { keyIn } from "../audience/key.ts";
import type { Evidence, PushTaken } from "../evidence.ts";
import { readPositions } from "./ledger-reader.ts";
import { violations } from "./tampering.ts";
import { collectStatement } from "./statement.ts";

const PEOPLE = ["ann", "ben"];

let kafka: TestKafka;
let push: PushService;
let product: Product;
let audience: Audience;
const owners = new Map<string, string>();

beforeAll(async () => {
  kafka = await openTestKafka();
  push = await startPushService();
  product = await startProduct({
    PUSH_ALLOWED_HOSTS: push.origin,
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_CONSUMER_GROUP: `${kafka.prefix}group`,
  });
  audience = openAudience({
    addressOf: () => product.url,
    token: async (id) => await product.token(id, []),
    people: [{ userId: "ann", tabs: 2, acks: true }],
    now: Date.now,
  });
  await audience.allConnected();
});
afterAll(async () => {
  audience.close();
  await product.stop();
  await push.close();
  await kafka.close();
});

async function send(userId: string, key: string): Promise<Evidence["asked"][number]> {
  const askedAt = Date.now();
  const { body } = await product.notify(
    {
      user_id: userId,
      template_id: "announcement",
      correlation_id: key,
      data: { title: `${key} snow day`, body: "School is closed." },
    },
    { "idempotency-key": key },
  );
  return {
    key,
    by: "rest",
    userId,
    phoneNumber: undefined,
    critical: false,
    askedAt,
    acceptedAt: Date.now(),
    ids: [String(body["notification_id"])],
    scheduled: false,
    cancelled: false,
  };
}

/** A browser of the user, whose pushes are shown and said to be. */
async function withDevice(userId: string, work: () => Promise<void>): Promise<PushTaken[]> {
  const as = await product.token(userId, []);
  await product.call("POST", "/push/subscribe", { as, body: push.subscribe() });
  const devices = openDevices({ address: () => product.url, tells: () => true });
  await work();
  const message = await push.next();
  devices.take(message);
  await expect.poll(() => devices.underWay()).toBe(0);
  const { endpoint, status, payload } = message;
  const notificationId = String(JSON.parse(payload).notification_id);
  const receipted = devices.isReceipted(endpoint, notificationId);
  const key = keyIn(JSON.parse(payload).title);
  owners.set(endpoint, userId);
  return [{ at: Date.now(), endpoint, notificationId, key, status, receipted }];
}

it("is found sound, and no longer once a due entry, a count or the trail is tampered with", async () => {
  const { redis, keyspace } = product.foundation;
  const asked = [await send("ann", "k-1-1"), await send("ann", "k-1-2")];
  const pushes = await withDevice("ben", async () => {
    asked.push(await send("ben", "k-1-3"));
  });
  await audience.quietAt(await readPositions({ redis, keyspace }, PEOPLE));
  let asks = 0;
  const take = async (): Promise<Evidence> => ({
    asked,
    tabs: audience.tabs(),
    pushes,
    texts: [],
    browsers: owners,
    survivedUntil: undefined,
    statement: await collectStatement({
      apiUrl() {
        asks += 1;
        if (asks === 1) throw new Error("no API runs");
        return product.url;
      },
      token: () => product.token("an-operator"),
      redis,
      keyspace,
      servers: kafka.servers,
      topicPrefix: kafka.prefix,
      people: PEOPLE,
    }),
  });
  await expect.poll(async () => violations(await take())).toEqual([]);
  const { statement } = await take();
  expect(statement.notes.map(({ user_id: userId }) => userId).toSorted()).toEqual([
    "ann",
    "ann",
    "ben",
  ]);
  expect(statement.positions.get("ann")).toMatchObject({ replayId: 2 });

  const [note] = statement.notes;
  const id = note?.notification_id ?? "";
  const shard = keyspace.shardOfNote(id) ?? 0;
  const day = note?.timestamp.slice(0, 10);
  await redis.zadd(keyspace.sharded(shard, "due"), Date.now() + 600_000, id);
  await redis.hincrby(keyspace.sharded(shard, `stat:${day}`), "late", 1);
  await redis.del(keyspace.sharded(shard, "audit"));
  const said = violations(await take());
  expect(said).toContain("settled: 1 entries are left in the due index");
  expect(said).toContain("counted once: late is 1; the notes say 0");
  expect(said).toContain(`audited once: ${id} is audited as accepted 0 times, not 1`);
});
