/** What probes and operators find. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { healthRoutes, type HealthReport } from "../../src/http/health.ts";
import { metricsRoute } from "../../src/http/metrics-route.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { openServer, problemFrom, type OpenServer } from "./open-server.ts";

const healthy: HealthReport = {
  total_connections: 150,
  active_users: 75,
  average_duration_seconds: 1_200,
  replay_sequence: 12_346,
  redis: "healthy",
  services: { websocket: "healthy", push: "healthy", sms: "disabled", templates: "healthy" },
  open_breakers: { push: 0, sms: 0 },
  push_reason: null,
  queue: "healthy",
  kafka: "disabled",
  outbox: true,
};

const state: { report: HealthReport | Error; ready: boolean } = { report: healthy, ready: true };
const metrics = createMetrics({ processMetrics: true });

const routes = [
  ...healthRoutes({
    version: "1.2.3",
    source: {
      read: () =>
        state.report instanceof Error
          ? Promise.reject(state.report)
          : Promise.resolve(state.report),
    },
    ready: () => Promise.resolve(state.ready),
    clock: { now: () => Date.parse("2026-09-15T14:00:00Z") },
    logger: createSilentLogger(),
  }),
  metricsRoute(metrics),
];

let server: OpenServer;
beforeAll(async () => {
  server = await openServer(routes);
});
afterAll(() => server.close());

const get = (path: string) => fetch(server.url + path);

describe("/health", () => {
  it("shows every part with the version and the time", async () => {
    state.report = healthy;
    const response = await get("/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: "healthy",
      timestamp: "2026-09-15T14:00:00.000Z",
      version: "1.2.3",
      ...healthy,
    });
  });

  it.each([
    ["degraded", { services: { ...healthy.services, push: "unhealthy" } }],
    ["degraded", { queue: "degraded" }],
    ["degraded", { kafka: "unhealthy" }],
    ["unhealthy", { redis: "unhealthy" }],
  ] as const)("is 200 and %s when parts are not well", async (expected, change) => {
    state.report = { ...healthy, ...change };
    const response = await get("/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: expected });
  });

  it("answers 200 even when nothing can be read, and tells nothing of why", async () => {
    state.report = new Error("secret address");
    const response = await get("/health");
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ status: "unhealthy", redis: "unhealthy" });
    expect(text).not.toContain("secret");
  });

  it("/live says that the process runs, /ready whether it can serve", async () => {
    expect((await get("/health/live")).status).toBe(200);
    state.ready = true;
    expect((await get("/health/ready")).status).toBe(200);
    state.ready = false;
    const response = await get("/health/ready");
    expect(response.status).toBe(503);
    expect((await problemFrom(response)).code).toBe("unavailable");
  });
});

describe("/metrics", () => {
  it("is what Prometheus reads, with the platform's and the process's numbers", async () => {
    metrics.deliveryAttempts.inc({ channel: "push", outcome: "delivered" });
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const text = await response.text();
    expect(text).toContain(
      'schoolbell_delivery_attempts_total{channel="push",outcome="delivered"} 1',
    );
    expect(text).toContain("nodejs_eventloop_lag_seconds");
  });
});
