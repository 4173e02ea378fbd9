/** The development routes serve this machine, and nobody who only pretends to be on it. */
import { request, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpApp } from "../../../src/http/app.ts";
import { listen, type HttpServer } from "../../../src/http/server.ts";
import { createSystemClock } from "../../../src/platform/clock.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { devRoutes } from "../../../src/roles/pages/dev-routes.ts";
import { isLoopbackAddress, isLoopbackHost } from "../../../src/roles/pages/loopback.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const clock = createSystemClock();

async function open(isLoopback: (address: string) => boolean): Promise<HttpServer> {
  const routes = devRoutes({
    signer: {
      sign: ({ userId, scopes, ttlSeconds }) =>
        Promise.resolve(`token of ${userId}: ${scopes.join(" ")} for ${ttlSeconds} s`),
    },
    outbox: {
      inUse: true,
      list: () =>
        Promise.resolve([
          { to: "+46701740605", text: "Hello", at: "2026-09-15T14:00:00Z", notificationId: "n1" },
        ]),
    },
    isLoopback,
    clock,
  });
  const app = createHttpApp({
    routes,
    verifier: { verify: () => Promise.reject(new Error("no route here asks for a token")) },
    rateLimiter: { take: () => Promise.resolve(undefined) },
    failedLogins: { record: () => undefined, blockedForSeconds: () => 0 },
    logger: quiet,
    metrics: createMetrics(),
    // Even when the operator trusts a proxy, these routes do not.
    trustProxy: 1,
    corsOrigins: [],
  });
  return listen(app, { host: "127.0.0.1", port: 0 });
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Not `fetch`, which does not let the Host header be forged. */
function call(
  server: HttpServer,
  method: "GET" | "POST",
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  const text = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: server.port,
        method,
        path,
        headers: {
          host: `localhost:${server.port}`,
          ...(text === "" ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => void chunks.push(chunk));
        response.on("end", () => {
          const received = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: JSON.parse(received),
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

let server: HttpServer;
let outsider: HttpServer;
beforeAll(async () => {
  server = await open(isLoopbackAddress);
  outsider = await open(() => false);
});
afterAll(async () => {
  await server.close(1_000);
  await outsider.close(1_000);
});

describe("POST /dev/token", () => {
  it("makes a token for any user, with the scopes that the page needs", async () => {
    const answer = await call(server, "POST", "/dev/token", {}, { user_id: "teacher-1" });
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.body).toMatchObject({
      user_id: "teacher-1",
      token: expect.stringMatching(/^token of teacher-1: notify:send notify:send:critical/),
    });
  });

  it("gives the scopes that are asked for and says until when", async () => {
    const answer = await call(
      server,
      "POST",
      "/dev/token",
      {},
      { user_id: "a", scopes: ["admin"] },
    );
    expect(answer.body).toMatchObject({
      token: "token of a: admin for 28800 s",
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  it.each([
    ["no user", {}],
    ["a user with a space", { user_id: "a b" }],
    ["a scope with a space", { user_id: "a", scopes: ["admin notify:send"] }],
    ["scopes that are no list", { user_id: "a", scopes: "admin" }],
  ])("refuses %s", async (_name, body) => {
    const answer = await call(server, "POST", "/dev/token", {}, body);
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });
});

describe("GET /dev/outbox", () => {
  it("shows what a phone would have got", async () => {
    const answer = await call(server, "GET", "/dev/outbox");
    expect(answer.body).toEqual({
      in_use: true,
      messages: [
        { to: "+46701740605", text: "Hello", at: "2026-09-15T14:00:00Z", notification_id: "n1" },
      ],
    });
  });
});

describe("requests that are not plainly from this machine", () => {
  const forged: [name: string, headers: Record<string, string>][] = [
    ["a name that was made to resolve to 127.0.0.1", { host: "evil.example" }],
    ["a name that begins like an address", { host: "127.0.0.1.evil.example:8003" }],
    ["a login in front of the host", { host: "localhost@evil.example" }],
    ["a proxy (X-Forwarded-For)", { "x-forwarded-for": "127.0.0.1" }],
    ["a proxy (Forwarded)", { forwarded: "for=127.0.0.1" }],
    ["a proxy (Via)", { via: "1.1 proxy" }],
    ["a page of another site", { origin: "https://evil.example" }],
    ["a page without an origin of its own", { origin: "null" }],
  ];

  it.each(forged)("get no token: %s", async (_name, headers) => {
    const answer = await call(server, "POST", "/dev/token", headers, { user_id: "a" });
    expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  it.each(forged)("see no outbox: %s", async (_name, headers) => {
    const answer = await call(server, "GET", "/dev/outbox", headers);
    expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  it("get nothing from another address", async () => {
    const token = await call(outsider, "POST", "/dev/token", {}, { user_id: "a" });
    const outbox = await call(outsider, "GET", "/dev/outbox");
    expect([token.status, outbox.status]).toEqual([403, 403]);
  });
});

describe("what counts as this machine", () => {
  it.each(["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])("takes address %s", (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });

  it.each(["10.0.0.1", "192.168.1.5", "::ffff:10.0.0.1", "fe80::1", "0.0.0.0", "unknown", ""])(
    "refuses address %j",
    (address) => {
      expect(isLoopbackAddress(address)).toBe(false);
    },
  );

  it.each(["localhost", "localhost:8003", "127.0.0.1:8003", "[::1]:8003", "app.localhost"])(
    "takes host %s",
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  it.each(["", "localhost.evil.example", "notlocalhost", "192.168.1.5:8003", "localhost/x", "a b"])(
    "refuses host %j",
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});
