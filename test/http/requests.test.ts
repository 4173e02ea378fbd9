/** What every answer has in common: paths, methods, ids, headers, errors that tell nothing inside. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createHttpApp } from "../../src/http/app.ts";
import { publicRoute, type Route } from "../../src/http/route.ts";
import { Problem } from "../../src/platform/problems.ts";
import { anyReply, echoRoute, openServer, problemFrom, type OpenServer } from "./open-server.ts";

const base = { method: "get", tag: "test", rateLimit: "none", responses: anyReply } as const;

function get(path: string, handle: Route["handle"]): Route {
  return publicRoute({ ...base, path, summary: path, problems: [], handle });
}

const routes: Route[] = [
  echoRoute,
  publicRoute({
    ...base,
    path: "/things/:id",
    summary: "One thing",
    problems: [],
    params: z.object({ id: z.string().max(20) }),
    query: z.object({ limit: z.coerce.number().int().max(10).default(3) }),
    handle: ({ params, query }) => ({ status: 200, body: { ...params, ...query } }),
  }),
  get("/things/mine", () => ({ status: 200, body: { mine: true } })),
  get("/ip", ({ context }) => ({ status: 200, body: { ip: context.ip, id: context.requestId } })),
  get("/empty", () => ({ status: 204 })),
  get("/page", () => ({ status: 200, body: "<p>é</p>", type: "text/html; charset=utf-8" })),
  get("/bug", () => {
    throw new Error("the password is hunter2");
  }),
  get("/circle", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    return { status: 200, body: circle };
  }),
  get("/full", () => {
    throw new Problem("unavailable", "The queue is full.", { retryAfterSeconds: 7 });
  }),
];

let server: OpenServer;
beforeAll(async () => {
  server = await openServer(routes, { corsOrigins: ["https://school.example"] });
});
afterAll(() => server.close());

describe("finding the route", () => {
  it("gives params and query as their schemas understand them", async () => {
    const response = await fetch(`${server.url}/things/a%20b?limit=5`);
    expect(await response.json()).toEqual({ id: "a b", limit: 5 });
  });

  it("prefers a fixed path to one with parameters, however they were ordered", async () => {
    const response = await fetch(`${server.url}/things/mine`);
    expect(await response.json()).toEqual({ mine: true });
  });

  it.each(["/things/mine", "/things/mine/", "/Things/Mine", "/things/mine?page=2"])(
    "answers %s in the same way, with all headers",
    async (path) => {
      const response = await fetch(server.url + path, { headers: { "x-request-id": "same" } });
      expect(await response.json()).toEqual({ mine: true });
      const { headers } = response;
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(headers.get("x-request-id")).toBe("same");
      expect(headers.get("vary")).toBe("Origin");
    },
  );

  it.each([
    ["a wrong query value", "/things/a?limit=none", "limit"],
    ["a repeated query value", "/things/a?limit=1&limit=2", "limit"],
    ["a wrong part of the path", `/things/${"a".repeat(21)}`, "id"],
  ])("names %s", async (_name, path, where) => {
    const response = await fetch(server.url + path);
    expect(response.status).toBe(400);
    const problem = await problemFrom(response);
    expect(problem.code).toBe("invalid_request");
    expect(problem.errors.map((error) => error.path)).toEqual([where]);
  });

  it("refuses a path that does not decode", async () => {
    const response = await fetch(`${server.url}/things/%zz`);
    expect(response.status).toBe(400);
    expect((await problemFrom(response)).code).toBe("invalid_request");
  });

  it("says not_found for an unknown path, with any method", async () => {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const response = await fetch(`${server.url}/nothing/here`, { method });
      expect(response.status).toBe(404);
      expect((await problemFrom(response)).code).toBe("not_found");
    }
  });

  it("says method_not_allowed with the methods that are", async () => {
    const response = await fetch(`${server.url}/echo`, { method: "DELETE" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST, OPTIONS");
    expect((await problemFrom(response)).code).toBe("method_not_allowed");
  });

  it("answers HEAD like GET without the body, and OPTIONS with the methods", async () => {
    const head = await fetch(`${server.url}/page`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe("9");
    expect(await head.text()).toBe("");
    const options = await fetch(`${server.url}/page`, { method: "OPTIONS" });
    expect(options.status).toBe(204);
    expect(options.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });

  it("refuses to start with two routes for the same request", () => {
    const twice = [get("/twice", () => ({ status: 200 })), get("/twice", () => ({ status: 204 }))];
    expect(() =>
      createHttpApp({
        routes: twice,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
        metrics: server.metrics,
        verifier: { verify: () => Promise.reject(new Error("not used")) },
        rateLimiter: { take: () => Promise.resolve(undefined) },
        failedLogins: { record() {}, blockedForSeconds: () => 0 },
        trustProxy: 0,
        corsOrigins: [],
      }),
    ).toThrow("two routes for get /twice");
  });
});

describe("an answer", () => {
  it("may be empty or of another type", async () => {
    const empty = await fetch(`${server.url}/empty`);
    expect([empty.status, await empty.text()]).toEqual([204, ""]);
    const page = await fetch(`${server.url}/page`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toBe("<p>é</p>");
  });

  it("keeps browsers from guessing, framing, leaking and storing, and does not name its maker", async () => {
    for (const path of ["/ip", "/nothing"]) {
      const { headers } = await fetch(server.url + path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-powered-by")).toBeNull();
      expect(headers.get("etag")).toBeNull();
    }
  });

  it("carries the caller's request id, or a new one where that is not usable", async () => {
    const own = await fetch(`${server.url}/ip`, { headers: { "x-request-id": "abc-1.2_3" } });
    expect(own.headers.get("x-request-id")).toBe("abc-1.2_3");
    expect(await own.json()).toMatchObject({ id: "abc-1.2_3" });
    for (const bad of ["has space", "x".repeat(200), '"quote"']) {
      const response = await fetch(`${server.url}/nothing`, { headers: { "x-request-id": bad } });
      const { request_id } = await problemFrom(response);
      expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
      expect(response.headers.get("x-request-id")).toBe(request_id);
    }
  });

  it("believes X-Forwarded-For only from a trusted proxy", async () => {
    const headers = { "x-forwarded-for": "203.0.113.9" };
    const direct = await fetch(`${server.url}/ip`, { headers });
    expect(await direct.json()).toMatchObject({ ip: "127.0.0.1" });
    const behind = await openServer(routes, { trustProxy: 1 });
    const proxied = await fetch(`${behind.url}/ip`, { headers });
    expect(await proxied.json()).toMatchObject({ ip: "203.0.113.9" });
    await behind.close();
  });
});

function askFrom(origin: string): Promise<Response> {
  return fetch(`${server.url}/echo`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });
}

describe("other origins", () => {
  it("may call when listed", async () => {
    const preflight = await askFrom("https://school.example");
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://school.example");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    const refused = await fetch(`${server.url}/nothing`, {
      headers: { origin: "https://school.example" },
    });
    expect(refused.headers.get("access-control-allow-origin")).toBe("https://school.example");
    expect(refused.headers.get("access-control-expose-headers")).toContain("Retry-After");
  });

  it("may not when they are not", async () => {
    const { headers } = await askFrom("https://evil.example");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("access-control-allow-methods")).toBeNull();
  });
});

describe("what goes wrong inside", () => {
  it.each(["/bug", "/circle"])("stays inside: %s", async (path) => {
    const response = await fetch(server.url + path);
    expect(response.status).toBe(500);
    const text = JSON.stringify(await problemFrom(response));
    expect(text).toContain('"code":"internal"');
    expect(text).not.toMatch(/hunter2|\.ts|\bat \w|circular/i);
  });

  it("is logged with its stack and the request id", async () => {
    const response = await fetch(`${server.url}/bug`, { headers: { "x-request-id": "find-me" } });
    expect(response.status).toBe(500);
    const line = server.logs.find((log) => log.includes("http.bug") && log.includes("find-me"));
    expect(line).toContain("requests.test.ts");
  });

  it("tells when to come back, where that is known", async () => {
    const response = await fetch(`${server.url}/full`);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("7");
    expect((await problemFrom(response)).detail).toBe("The queue is full.");
  });
});

describe("what operators see", () => {
  it("one line per request, with tokens in the address made unreadable", async () => {
    await fetch(`${server.url}/ip?token=abc.def.ghi&%74oken=second&page=2`, {
      headers: { "x-request-id": "one-line", authorization: "Bearer very-secret" },
    }).then((response) => response.text());
    await expect.poll(() => server.logs.filter((log) => log.includes("one-line"))).toHaveLength(1);
    const [line = ""] = server.logs.filter((log) => log.includes("one-line"));
    const url = "/ip?token=redacted&page=2";
    expect(JSON.parse(line)).toMatchObject({ method: "GET", url, route: "/ip", status: 200 });
    expect(server.logs.join("")).not.toMatch(/abc\.def|second|very-secret/);
  });

  it("requests counted by the pattern of the route, not by what callers made up", async () => {
    await fetch(`${server.url}/things/made-up-id`).then((response) => response.text());
    await fetch(`${server.url}/made-up-path`).then((response) => response.text());
    const rendered = async () => (await server.metrics.render()).text;
    await expect.poll(rendered).toMatch(/http_requests_total\{.*route="\/things\/:id".*\} \d/);
    const text = await rendered();
    expect(text).toContain('route="unmatched",status="404"');
    expect(text).toContain('schoolbell_rejected_requests_total{code="not_found"}');
    expect(text).not.toContain("made-up");
  });

  it("refused requests of known routes, for the audit trail", async () => {
    server.rejected.length = 0;
    await fetch(`${server.url}/nothing`);
    await fetch(`${server.url}/bug`);
    await fetch(`${server.url}/things/a?limit=99`, { headers: { "x-request-id": "refused-1" } });
    expect(server.rejected).toEqual([
      { code: "invalid_request", path: "/things/:id", requestId: "refused-1", ip: "127.0.0.1" },
    ]);
  });
});
