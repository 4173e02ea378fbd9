/** The whole product on a Redis Cluster: what works on one server works on three. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runCli } from "../cli/run-cli.ts";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";
import { openClusterCorner } from "../support/redis.ts";
import {
  PHONE,
  startProductWithProviders,
  type ProductWithProviders,
} from "./product-with-providers.ts";
import { announcementFor, classCreatedFor, matchingFor, meetingFor, someone } from "./requests.ts";

/** No node is taken for dead while this suite runs. */
const NO_FAILOVER_MS = 60_000;
const BULK = 1_000;

const reportSchema = z.object({
  total_notifications: z.number(),
  statuses: z.object({ stored: z.number() }),
});

let cluster: RedisCluster;
let setup: ProductWithProviders;
let admin: string;

beforeAll(async () => {
  cluster = await startRedisCluster(NO_FAILOVER_MS);
  setup = await startProductWithProviders({}, openClusterCorner(cluster.url));
  admin = await setup.product.token("boss", ["admin", "analytics:read"]);
});

afterAll(async () => {
  await setup.stop();
  await cluster.close();
});

const today = (): string => new Date().toISOString().slice(0, 10);

describe("on a Redis Cluster", () => {
  it("users of all shards get their messages on their tabs, and again by replay", async () => {
    const users = Array.from({ length: 12 }, () => someone());
    const shards = new Set(
      users.map((user) => setup.product.foundation.keyspace.shardOfUser(user)),
    );
    expect(shards.size).toBeGreaterThan(3);
    await Promise.all(
      users.map(async (userId) => {
        const tab = await setup.openTab(userId);
        const answer = await setup.product.notify(announcementFor(userId));
        expect(answer.body).toMatchObject({ status: "delivered", websocket_connections: 1 });
        expect((await tab.nextNotification())["replay_id"]).toBe("1");
        await tab.close();
      }),
    );
    const [userId = ""] = users;
    const missed = await setup.product.notify(announcementFor(userId, "While away"));
    expect(missed.body["status"]).toBe("stored");
    const tab = await setup.openTab(userId);
    expect((await tab.nextNotification())["title"]).toBe("While away");
    await tab.close();
  });

  it("an acknowledged message is confirmed", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId, { ack: true });
    const sent = setup.product.notify(matchingFor(userId, PHONE));
    tab.send({ type: "ack", replay_id: (await tab.nextNotification())["replay_id"] });
    const { body } = await sent;
    expect(body["channels"]).toMatchObject({ websocket: "delivered", sms: "skipped" });
    await tab.close();
  });

  it("whoever has no tab is reached by push, and else by SMS", async () => {
    const pushed = someone();
    await setup.subscribe(pushed);
    expect((await setup.product.notify(classCreatedFor(pushed))).body).toMatchObject({
      channels: { websocket: "skipped", push: "delivered" },
    });
    expect((await setup.product.notify(meetingFor(someone(), PHONE))).body).toMatchObject({
      channels: { websocket: "skipped", push: "skipped", sms: "delivered" },
    });
  });

  it("a repeated request is one notification, and another body under its key a conflict", async () => {
    const userId = someone();
    const headers = { "idempotency-key": someone("key") };
    const first = await setup.product.notify(announcementFor(userId), headers);
    const again = await setup.product.notify(announcementFor(userId), headers);
    expect(again.body["notification_id"]).toBe(first.body["notification_id"]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = await setup.product.notify(announcementFor(userId, "Another"), headers);
    expect(other.status).toBe(409);
  });

  it("a bulk over all shards settles, is counted once, and is in the audit trail", async () => {
    const before = await totals();
    const users = Array.from({ length: BULK }, () => someone());
    const notifications = users.map((userId) => ({
      ...announcementFor(userId),
      idempotency_key: userId,
    }));
    const answer = await setup.product.call("POST", "/notify/bulk", { body: { notifications } });
    expect(answer.body).toMatchObject({ accepted: BULK, rejected: 0 });
    await expect.poll(totals).toEqual({
      total: before.total + BULK,
      stored: before.stored + BULK,
    });
    const audit = await setup.product.call("GET", "/audit?action=accepted&limit=1000", {
      as: admin,
    });
    const entries = audit.body["entries"];
    expect(Array.isArray(entries) && entries.length).toBe(1_000);
  });

  it("health sees every shard, and the queues", async () => {
    const health = await setup.product.call("GET", "/health", { as: "" });
    expect(health.body).toMatchObject({ status: "healthy", redis: "healthy", queue: "healthy" });
    expect((await setup.product.call("GET", "/health/ready", { as: "" })).status).toBe(200);
  });

  it("a slot that is moved makes nothing twice: its users wait, and others do not", async () => {
    const { keyspace } = setup.product.foundation;
    const userId = someone();
    const tab = await setup.openTab(userId);
    await setup.product.notify(announcementFor(userId, "Before"));
    const shard = keyspace.shardOfUser(userId);
    const finish = await cluster.moveSlot(keyspace.sharded(shard, "due"));
    const headers = { "idempotency-key": someone("key") };
    const meanwhile = await setup.product.notify(announcementFor(userId, "Meanwhile"), headers);
    expect(meanwhile.status).toBe(503);
    const others = Array.from({ length: 64 }, () => someone());
    const other = others.find((each) => keyspace.shardOfUser(each) !== shard) ?? "";
    expect((await setup.product.notify(announcementFor(other))).body["status"]).toBe("stored");
    expect((await setup.product.call("GET", "/health/ready", { as: "" })).status).toBe(200);
    await finish();
    await expect
      .poll(async () => {
        const again = await setup.product.notify(announcementFor(userId, "Meanwhile"), headers);
        return again.body["status"];
      })
      .toBe("delivered");
    const shown = [await tab.nextNotification(), await tab.nextNotification()];
    expect(shown.map(({ title }) => title)).toEqual(["Before", "Meanwhile"]);
    await tab.close();
  });

  it("a worker by itself keeps a restore from changing what it works on", async () => {
    // Its one channel lies with one of the masters, whichever of them the command asks first.
    const { url, keyspace, prefix } = openClusterCorner(cluster.url);
    const home = await cluster.masterOf("{w}");
    const worker = home.redis.duplicate();
    await worker.ssubscribe(keyspace.plain("{w}:worker:alone"));
    for (const { port } of await cluster.masters()) {
      const env = { REDIS_URL: `redis://127.0.0.1:${port}`, KEY_PREFIX: prefix };
      const check = await runCli("schoolbell", ["restore", "check", "--json"], env);
      expect(JSON.parse(check.stdout), check.stderr).toMatchObject({ living: 1 });
    }
    const refused = await runCli("schoolbell", ["restore", "expire", "--yes"], {
      REDIS_URL: url,
      KEY_PREFIX: prefix,
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("stop the roles first");
    worker.disconnect();
  });

  it("a failed push is listed, and sent again from the command line's own view of it", async () => {
    const userId = someone();
    const subscription = await setup.subscribe(userId);
    setup.pushService.script(subscription.endpoint, { status: 400 });
    const { body } = await setup.product.notify(classCreatedFor(userId));
    expect(body["status"]).toBe("failed");
    setup.pushService.script(subscription.endpoint, { status: 201 });
    const { url, prefix } = setup.product.store;
    const env = { REDIS_URL: url, KEY_PREFIX: prefix };
    const listed = await runCli("schoolbell", ["dlq", "list", "--kind", "notifications"], env);
    expect(listed.stdout, listed.stderr).toContain(String(body["notification_id"]));
    const redriven = await runCli(
      "schoolbell",
      ["dlq", "redrive", String(body["notification_id"])],
      env,
    );
    expect(redriven.code, redriven.stderr).toBe(0);
    const path = `/notifications/${String(body["notification_id"])}`;
    await expect
      .poll(async () => (await setup.product.call("GET", path, { as: admin })).body["status"])
      .toBe("delivered");
  });
});

async function totals(): Promise<{ total: number; stored: number }> {
  const path = `/analytics?start_date=${today()}&end_date=${today()}`;
  const { body } = await setup.product.call("GET", path, { as: admin });
  const { total_notifications: total, statuses } = reportSchema.parse(body);
  return { total, stored: statuses.stored };
}
