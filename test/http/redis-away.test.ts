/** What callers see while Redis is gone, frozen or full, and that it passes by itself. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRateLimiter } from "../../src/http/rate-limiter.ts";
import { publicRoute, tokenRoute } from "../../src/http/route.ts";
import { startEmbeddedRedis, type EmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { anyReply, openServer, problemFrom, type OpenServer } from "./open-server.ts";

let dataDir: string;
let embedded: EmbeddedRedis;
let redis: Redis;
let server: OpenServer;
let authorization: string;

async function start(port?: number): Promise<EmbeddedRedis> {
  return await startEmbeddedRedis({
    dataDir,
    appendOnly: false,
    logger: createSilentLogger(),
    announce: () => {},
    ...(port === undefined ? {} : { port }),
  });
}

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-away-"));
  embedded = await start();
  redis = connectRedis(embedded.url, "command");
  await waitForRedis(redis, createSilentLogger());
  const base = { tag: "test", rateLimit: "default", responses: anyReply, problems: [] } as const;
  const write = tokenRoute({
    ...base,
    method: "post",
    path: "/write",
    summary: "Writes",
    scopes: [],
    handle: async () => ({ status: 200, body: await redis.set("written", "x".repeat(1_000)) }),
  });
  const read = tokenRoute({
    ...base,
    method: "get",
    path: "/read",
    summary: "Reads from elsewhere",
    scopes: [],
    handle: () => ({ status: 200, body: "read" }),
  });
  const bare = publicRoute({
    ...base,
    rateLimit: "none",
    method: "post",
    path: "/bare",
    summary: "Writes, without a limit in front",
    handle: async () => ({ status: 200, body: await redis.set("written", "x".repeat(1_000)) }),
  });
  server = await openServer([write, read, bare], {
    rateLimiter: createRateLimiter({
      redis,
      keyspace: createKeyspace({ shards: 1, prefix: "" }),
      clock: { now: () => Date.now() },
      logger: createSilentLogger(),
      enabled: true,
      perMinute: { service: 100, user: 100, subscribe: 100, anonymous: 100 },
    }),
  });
  authorization = `Bearer ${await server.token()}`;
});
afterAll(async () => {
  await server.close();
  redis.disconnect();
  await embedded.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const call = (method: string, route: string) =>
  fetch(server.url + route, { method, headers: { authorization } });

async function expectUnavailable(response: Response): Promise<void> {
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  const problem = await problemFrom(response);
  expect(problem.code).toBe("unavailable");
  expect(problem.detail).not.toMatch(/redis|stream|ECONN|OOM/i);
}

describe("while Redis is", () => {
  it("full, writes get 503", async () => {
    await redis.config("SET", "maxmemory", "1", "maxmemory-policy", "noeviction");
    await expectUnavailable(await call("POST", "/bare"));
    await expectUnavailable(await call("POST", "/write"));
    await redis.config("SET", "maxmemory", "0");
    expect((await call("POST", "/write")).status).toBe(200);
  });

  it("frozen, writes get 503 instead of hanging, and reads pass", async () => {
    await redis.client("PAUSE", 2_500, "ALL");
    const [write, bare, read] = await Promise.all([
      call("POST", "/write"),
      call("POST", "/bare"),
      call("GET", "/read"),
    ]);
    await expectUnavailable(write);
    await expectUnavailable(bare);
    expect(read.status).toBe(200);
    expect(read.headers.get("ratelimit-limit")).toBeNull();
    await expect
      .poll(async () => (await call("POST", "/write")).status, { timeout: 8_000 })
      .toBe(200);
  });

  it("gone, writes get 503 and reads pass; all is well when it is back", async () => {
    const port = Number(new URL(embedded.url).port);
    await embedded.stop();
    await expectUnavailable(await call("POST", "/write"));
    await expectUnavailable(await call("POST", "/bare"));
    expect((await call("GET", "/read")).status).toBe(200);
    embedded = await start(port);
    await expect
      .poll(async () => (await call("POST", "/write")).status, { timeout: 8_000 })
      .toBe(200);
    expect((await call("GET", "/read")).headers.get("ratelimit-limit")).toBe("100");
  });
});
