/** Requests that carry several items: counted by the items, accepted or refused as a whole. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createRateLimiter,
  type RateLimiter,
  type RateSubject,
} from "../../src/http/rate-limiter.ts";
import { tokenRoute } from "../../src/http/route.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { anyReply, openServer, problemFrom, type OpenServer } from "./open-server.ts";

/** The start of a minute. */
const START_MS = 30_000_000 * 60_000;
const clock = { nowMs: START_MS, now: () => clock.nowMs };

describe("a bulk", () => {
  let testRedis: TestRedis;
  let limiter: RateLimiter;
  let server: OpenServer;
  const handled: number[] = [];
  const bulk = tokenRoute({
    method: "post",
    path: "/bulk",
    summary: "Takes several",
    tag: "test",
    rateLimit: "default",
    scopes: [],
    body: z.object({ items: z.array(z.number()) }),
    cost: ({ items }) => items.length,
    responses: anyReply,
    problems: [],
    handle({ body }) {
      handled.push(body.items.length);
      return { status: 200 };
    },
  });

  beforeAll(async () => {
    testRedis = await openTestRedis();
    limiter = createRateLimiter({
      redis: testRedis.redis,
      keyspace: testRedis.keyspace,
      clock,
      logger: createSilentLogger(),
      enabled: true,
      perMinute: { service: 20, user: 5, subscribe: 2, anonymous: 3 },
    });
    server = await openServer([bulk], { rateLimiter: limiter });
  });
  afterAll(async () => {
    await server.close();
    await testRedis.close();
  });

  async function send(service: string, items: number): Promise<Response> {
    const authorization = `Bearer ${await server.token(["notify:send"], service)}`;
    return await fetch(`${server.url}/bulk`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ items: Array.from({ length: items }, () => 0) }),
    });
  }

  it("counts as many requests as it has items, and one when it is empty", async () => {
    const first = await send("bulk-1", 12);
    expect(first.status).toBe(200);
    expect(first.headers.get("ratelimit-remaining")).toBe("8");
    expect((await send("bulk-1", 0)).headers.get("ratelimit-remaining")).toBe("7");
    expect((await send("bulk-1", 7)).headers.get("ratelimit-remaining")).toBe("0");
    expect((await send("bulk-1", 1)).status).toBe(429);
  });

  it("may be as large as the limit", async () => {
    expect((await send("bulk-2", 20)).status).toBe(200);
  });

  it("that does not fit is refused as a whole, and fits when it was told to come back", async () => {
    await send("bulk-3", 8);
    handled.length = 0;
    const refused = await send("bulk-3", 15);
    expect(refused.status).toBe(429);
    expect(handled).toEqual([]);
    expect(refused.headers.get("ratelimit-remaining")).toBe("11");
    expect((await problemFrom(refused)).detail).toContain("counts as 15");
    const waitMs = Number(refused.headers.get("retry-after")) * 1_000;
    const refusedAtMs = clock.nowMs;
    clock.nowMs = refusedAtMs + waitMs;
    expect((await send("bulk-3", 15)).status).toBe(200);
    clock.nowMs = refusedAtMs;
  });

  it("larger than the limit is told to be split", async () => {
    const refused = await send("bulk-4", 21);
    expect(refused.status).toBe(429);
    const { detail } = await problemFrom(refused);
    expect(detail).toContain("The limit is 20 requests a minute");
    expect(detail).toContain("split it");
    expect((await send("bulk-4", 10)).status).toBe(200);
  });

  it("among single requests is counted exactly, even all at once", async () => {
    const service: RateSubject = { kind: "service", id: "mixed" };
    const decisions = await Promise.all([
      limiter.take(service, false),
      limiter.take(service, false, 9),
      limiter.take(service, false, 9),
      limiter.take(service, false, 9),
      limiter.take(service, false),
      limiter.take(service, false),
    ]);
    expect(decisions.map((decision) => decision?.allowed)).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
    ]);
  });
});
