/** How many requests get through, who shares a limit, and what those above it are told. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createRateLimiter,
  type RateLimiter,
  type RateSubject,
} from "../../src/http/rate-limiter.ts";
import { tokenRoute, publicRoute, type RateLimitKind, type Route } from "../../src/http/route.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { anyReply, openServer, problemFrom, type OpenServer } from "./open-server.ts";

const MINUTE_MS = 60_000;
/** The start of a minute. */
const START_MS = 30_000_000 * MINUTE_MS;
const perMinute = { service: 20, user: 5, subscribe: 2, anonymous: 3 };

let testRedis: TestRedis;
const clock = { nowMs: START_MS, now: () => clock.nowMs };
beforeAll(async () => {
  testRedis = await openTestRedis();
});
afterAll(() => testRedis.close());

function openLimiter(limits: Partial<typeof perMinute> = {}, enabled = true): RateLimiter {
  return createRateLimiter({
    redis: testRedis.redis,
    keyspace: testRedis.keyspace,
    clock,
    logger: createSilentLogger(),
    enabled,
    perMinute: { ...perMinute, ...limits },
  });
}

let users = 0;
function newUser(): RateSubject {
  users += 1;
  return { kind: "user", id: `user-${users}` };
}

async function takeMany(limiter: RateLimiter, subject: RateSubject, times: number) {
  const decisions = await Promise.all(
    Array.from({ length: times }, () => limiter.take(subject, false)),
  );
  return decisions.filter((decision) => decision?.allowed === true).length;
}

describe("a limit", () => {
  it("lets exactly as many through as it says, even all at once", async () => {
    clock.nowMs = START_MS;
    expect(await takeMany(openLimiter(), newUser(), 50)).toBe(5);
  });

  it("is shared by all processes and not by different users", async () => {
    clock.nowMs = START_MS;
    const user = newUser();
    const passed = await Promise.all([
      takeMany(openLimiter(), user, 10),
      takeMany(openLimiter(), user, 10),
    ]);
    expect(passed.reduce((sum, count) => sum + count)).toBe(5);
    expect(await takeMany(openLimiter(), newUser(), 10)).toBe(5);
  });

  it("counts down for each request of a burst", async () => {
    clock.nowMs = START_MS + 15_000;
    const limiter = openLimiter();
    const user = newUser();
    const decisions = await Promise.all(Array.from({ length: 7 }, () => limiter.take(user, false)));
    expect(decisions.map((decision) => decision?.remaining)).toEqual([4, 3, 2, 1, 0, 0, 0]);
    expect(decisions[0]).toMatchObject({ limit: 5, resetSeconds: 45, retryAfterSeconds: 0 });
  });

  it("slides: a full minute does not start afresh when the clock strikes", async () => {
    const limiter = openLimiter();
    const user = newUser();
    clock.nowMs = START_MS + 59_000;
    expect(await takeMany(limiter, user, 9)).toBe(5);
    clock.nowMs = START_MS + MINUTE_MS + 1_000;
    expect(await takeMany(limiter, user, 9)).toBe(0);
    clock.nowMs = START_MS + MINUTE_MS + 30_000;
    expect(await takeMany(limiter, user, 9)).toBe(2);
    clock.nowMs = START_MS + 4 * MINUTE_MS;
    expect(await takeMany(limiter, user, 9)).toBe(5);
  });

  it("never counts a minute twice for a process whose clock is behind", async () => {
    const limiter = openLimiter();
    const user = newUser();
    clock.nowMs = START_MS + MINUTE_MS + 100;
    expect(await takeMany(limiter, user, 3)).toBe(3);
    clock.nowMs = START_MS + MINUTE_MS - 100;
    expect(await takeMany(limiter, user, 9)).toBe(2);
  });

  it("tells a waiting time after which one more passes, and not much before", async () => {
    const steps = fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 12 }), afterMs: fc.nat(50_000) }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 10 }), async (burst, limit) => {
        const limiter = openLimiter({ user: limit });
        const user = newUser();
        clock.nowMs = START_MS;
        for (const { count, afterMs } of burst) {
          clock.nowMs += afterMs;
          await takeMany(limiter, user, count);
        }
        let decision = await limiter.take(user, false);
        while (decision?.allowed === true) decision = await limiter.take(user, false);
        const waitMs = (decision?.retryAfterSeconds ?? 0) * 1_000;
        expect(waitMs).toBeGreaterThan(0);
        const refusedAtMs = clock.nowMs;
        clock.nowMs = refusedAtMs + waitMs - 1_001;
        if (waitMs > 1_001) expect((await limiter.take(user, false))?.allowed).toBe(false);
        clock.nowMs = refusedAtMs + waitMs;
        expect((await limiter.take(user, false))?.allowed).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("switched off limits nothing", async () => {
    const limiter = openLimiter({}, false);
    expect(await limiter.take(newUser(), false)).toBeUndefined();
  });

  it("leaves nothing in Redis that stays", async () => {
    const keys = await testRedis.redis.keys(`${testRedis.prefix}rate:*`);
    const lives = await Promise.all(keys.map((key) => testRedis.redis.pttl(key)));
    expect(lives.length).toBeGreaterThan(0);
    expect(lives.every((life) => life > 0 && life <= 2 * MINUTE_MS)).toBe(true);
  });
});

function limited(path: string, rateLimit: RateLimitKind): Route {
  return tokenRoute({
    method: "get",
    path,
    summary: path,
    tag: "test",
    rateLimit,
    scopes: [],
    responses: anyReply,
    problems: [],
    handle: () => ({ status: 200 }),
  });
}

describe("at the front door", () => {
  let server: OpenServer;
  const open = publicRoute({
    method: "get",
    path: "/open",
    summary: "No token",
    tag: "test",
    rateLimit: "default",
    responses: anyReply,
    problems: [],
    handle: () => ({ status: 200 }),
  });

  beforeAll(async () => {
    clock.nowMs = START_MS + 10_000;
    const routes = [limited("/a", "default"), limited("/b", "subscribe"), limited("/free", "none")];
    server = await openServer([...routes, open], { rateLimiter: openLimiter() });
  });
  afterAll(() => server.close());

  const statusesOf = async (path: string, token: string | undefined, times: number) => {
    const statuses: number[] = [];
    for (let index = 0; index < times; index += 1) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      statuses.push((await fetch(server.url + path, { headers })).status);
    }
    return statuses;
  };

  it("a user's sixth request in a minute gets 429 and is told when to come back", async () => {
    const token = await server.token([], "door-user");
    const headers = { authorization: `Bearer ${token}` };
    const first = await fetch(`${server.url}/a`, { headers });
    expect(first.headers.get("ratelimit-limit")).toBe("5");
    expect(first.headers.get("ratelimit-remaining")).toBe("4");
    expect(first.headers.get("ratelimit-reset")).toBe("50");
    expect(await statusesOf("/a", token, 4)).toEqual([200, 200, 200, 200]);
    const refused = await fetch(`${server.url}/a`, { headers });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(50);
    expect((await problemFrom(refused)).code).toBe("rate_limited");
  });

  it("a service has its own, higher limit, and subscribing a lower one", async () => {
    const service = await server.token(["notify:send:iep"], "service-1");
    expect((await statusesOf("/a", service, 21)).filter((status) => status === 200)).toHaveLength(
      20,
    );
    const user = await server.token([], "subscriber");
    expect(await statusesOf("/b", user, 3)).toEqual([200, 200, 429]);
    expect(await statusesOf("/a", user, 1)).toEqual([200]);
  });

  it("those without a token are counted by address, and free routes not at all", async () => {
    expect(await statusesOf("/open", undefined, 4)).toEqual([200, 200, 200, 429]);
    const token = await server.token([], "door-user");
    expect(await statusesOf("/free", token, 10)).toEqual(Array<number>(10).fill(200));
  });
});

describe("those without a valid token", () => {
  let server: OpenServer;
  beforeAll(async () => {
    clock.nowMs = START_MS + 40 * MINUTE_MS;
    server = await openServer([limited("/a", "default"), limited("/free", "none")], {
      // Apart from the suite above, whose requests come from the same address.
      rateLimiter: openLimiter({ anonymous: 4 }),
    });
  });
  afterAll(() => server.close());

  it("are explained as often as an address may ask, then held back; good tokens still pass", async () => {
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(server.url + path, { headers });
    const statuses = [
      (await get("/a")).status,
      (await get("/free")).status,
      (await get("/a", { authorization: "Bearer nonsense" })).status,
      (await get("/a", { authorization: "Basic dTpw" })).status,
    ];
    expect(statuses).toEqual([401, 401, 401, 401]);
    for (const headers of [{}, { authorization: "Bearer nonsense" }]) {
      const held = await get("/a", headers);
      expect(held.status).toBe(429);
      expect(held.headers.get("www-authenticate")).toBeNull();
      expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await problemFrom(held)).code).toBe("rate_limited");
    }
    const authorization = `Bearer ${await server.token([], "good-user")}`;
    expect((await get("/a", { authorization })).status).toBe(200);
  });
});
