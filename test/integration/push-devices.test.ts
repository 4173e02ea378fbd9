/** A person's browsers on the whole product: listed, warned about, renewed, removed. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSubscriptionStore } from "../../src/channels/push/subscriptions.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { startProduct, type Product } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const DAY_MS = 86_400_000;
const LIFE = { staleMs: 60 * DAY_MS, warningMs: 14 * DAY_MS };
const USER = "teacher-with-devices";

let redis: TestRedis;
let pushService: PushService;
let products: Product[];

beforeEach(async () => {
  redis = await openTestRedis();
  pushService = await startPushService();
  products = [];
});
afterEach(async () => {
  await Promise.all(products.map((product) => product.stop()));
  await pushService.close();
  await redis.close();
});

async function start(env: Record<string, string> = {}): Promise<Product> {
  const product = await startProduct({ PUSH_ALLOWED_HOSTS: pushService.origin, ...env }, redis);
  products.push(product);
  return product;
}

/** A browser that was last seen so many days ago. */
async function seenDaysAgo(days: number, label: string, life = LIFE): Promise<void> {
  const now = (): number => Date.now() - days * DAY_MS;
  const { keyspace } = redis;
  const store = createSubscriptionStore({
    redis: redis.redis,
    keyspace,
    sealing: createSealing(),
    clock: { now },
    life,
  });
  await store.put(USER, pushService.subscribe(), { label });
}

const devicesOf = async (product: Product): Promise<unknown[]> => {
  const as = await product.token(USER, []);
  const { body } = await product.call("GET", "/push/subscriptions", { as });
  return Array.isArray(body["subscriptions"]) ? body["subscriptions"] : [];
};

describe("a browser that was not opened for weeks", () => {
  it("rings once to say so, by name", async () => {
    await seenDaysAgo(50, "Old laptop");
    const product = await start();
    const warning: unknown = JSON.parse((await pushService.next()).payload);
    expect(warning).toMatchObject({
      title: "A device will stop ringing",
      body: expect.stringContaining("Old laptop"),
    });
    const other = { user_id: USER, template_id: "announcement", data: { title: "T", body: "B" } };
    await product.notify(other);
    const next: unknown = JSON.parse((await pushService.next()).payload);
    expect(next).toMatchObject({ title: "New announcement" });
    expect(pushService.received).toHaveLength(2);
  });

  it("is given up after the time that is configured, and told of by that time", async () => {
    await seenDaysAgo(5, "Tablet", { staleMs: 6 * DAY_MS, warningMs: 2 * DAY_MS });
    const product = await start({ PUSH_STALE_DAYS: "6", PUSH_STALE_WARNING_DAYS: "2" });
    await pushService.next();
    const [device] = await devicesOf(product);
    const expiresAt: unknown = Object(device).expires_at;
    expect(Date.parse(String(expiresAt)) - Date.now()).toBeGreaterThan(1.9 * DAY_MS);
    expect(Date.parse(String(expiresAt)) - Date.now()).toBeLessThan(2.1 * DAY_MS);
  });
});

describe("a browser that its push service gave another endpoint", () => {
  it("goes on ringing once the service worker has handed it in, without a token", async () => {
    const product = await start();
    const as = await product.token(USER, []);
    const [first, second] = [pushService.subscribe(), pushService.subscribe()];
    const { body } = await product.call("POST", "/push/subscribe", { body: first, as });
    const renewed = await product.call("POST", "/push/renew", {
      body: { renewal: body["renewal"], subscription: second },
      as: "",
    });
    expect(renewed.status).toBe(200);
    await product.notify({
      user_id: USER,
      template_id: "announcement",
      data: { title: "T", body: "B" },
    });
    expect(await pushService.next()).toMatchObject({ endpoint: second.endpoint });
    expect(await devicesOf(product)).toHaveLength(1);
    expect(pushService.received).toHaveLength(1);
  });
});

describe("a browser that its person removes", () => {
  it("does not ring any more", async () => {
    const product = await start();
    const as = await product.token(USER, []);
    const body = pushService.subscribe();
    const stored = await product.call("POST", "/push/subscribe", { body, as });
    const id = String(stored.body["subscription_id"]);
    const removed = await product.call("DELETE", `/push/subscriptions/${id}`, { as });
    expect(removed.status).toBe(204);
    const answer = await product.notify({
      user_id: USER,
      template_id: "announcement",
      data: { title: "T", body: "B" },
    });
    expect(answer.body).toMatchObject({ channel_details: { push: { reason: "no_subscription" } } });
    expect(pushService.received).toEqual([]);
  });
});
