/** An operator sees at any process that a provider fails, although only workers speak to it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { classCreatedFor, someone } from "./requests.ts";

let store: TestRedis;
let service: PushService;
let api: Product;
let worker: Product;

beforeAll(async () => {
  store = await openTestRedis();
  service = await startPushService();
  const env = { PUSH_ALLOWED_HOSTS: service.origin, DUE_POLL_MS: "25" };
  worker = await startProduct({ ...env, ROLES: "worker" }, store);
  api = await startProduct({ ...env, ROLES: "api" }, store);
});
afterAll(async () => {
  await api.stop();
  await worker.stop();
  await service.close();
  await store.close();
});

interface Health {
  readonly status: unknown;
  readonly services: unknown;
  readonly open_breakers: unknown;
  readonly push_reason: unknown;
}

async function health(of: Product): Promise<Health> {
  const { status, services, open_breakers, push_reason } = (await of.call("GET", "/health")).body;
  return { status, services, open_breakers, push_reason };
}

const metricsOf = async (of: Product): Promise<string> =>
  await (await fetch(`${of.url}/metrics`)).text();

/** What a push to this person's only browser leads to. */
async function pushTo(userId: string): Promise<void> {
  await api.call("POST", "/notify", { body: classCreatedFor(userId) });
}

it("shows that a push service refuses our keys, and why, until it takes a message", async () => {
  const userId = someone();
  const subscription = service.subscribe();
  const as = await api.token(userId, []);
  await api.call("POST", "/push/subscribe", { body: subscription, as });
  service.script(subscription.endpoint, { status: 403 });
  await pushTo(userId);
  await expect
    .poll(() => health(api), { timeout: 20_000 })
    .toMatchObject({
      status: "degraded",
      services: { push: "degraded" },
      push_reason: "keys_refused",
      open_breakers: { push: 0 },
    });
  expect(await metricsOf(worker)).toContain(
    `schoolbell_push_keys_refused_total{origin="${service.origin}"} 1`,
  );

  service.script(subscription.endpoint, {});
  await pushTo(userId);
  await expect
    .poll(() => health(api), { timeout: 20_000 })
    .toMatchObject({ status: "healthy", services: { push: "healthy" }, push_reason: null });
}, 60_000);

it("shows in /health and in metrics, until the provider is back", { timeout: 60_000 }, async () => {
  const userId = someone();
  const subscription = service.subscribe();
  const as = await api.token(userId, []);
  expect((await api.call("POST", "/push/subscribe", { body: subscription, as })).status).toBe(201);
  service.script(subscription.endpoint, { status: 500 });
  const ids: string[] = [];
  for (let count = 0; count < 6; count += 1) {
    const { body } = await api.call("POST", "/notify", { body: classCreatedFor(userId) });
    ids.push(String(body["notification_id"]));
  }
  await expect
    .poll(() => health(api), { timeout: 20_000 })
    .toMatchObject({
      status: "degraded",
      services: { push: "unhealthy", sms: "healthy" },
      open_breakers: { push: 1, sms: 0 },
    });
  expect(await metricsOf(worker)).toMatch(
    new RegExp(`schoolbell_breaker_state\\{channel="push",origin="${service.origin}"\\} [12]`),
  );

  service.script(subscription.endpoint, {});
  await expect
    .poll(() => health(api), { timeout: 30_000 })
    .toMatchObject({ services: { push: "healthy" }, open_breakers: { push: 0 } });
  const admin = await api.token("admin-1", ["admin"]);
  for (const id of ids) {
    await expect
      .poll(async () => (await api.call("GET", `/notifications/${id}`, { as: admin })).body, {
        timeout: 30_000,
      })
      .toMatchObject({ status: "delivered" });
  }
});
