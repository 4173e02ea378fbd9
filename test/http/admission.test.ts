/** Who gets through the door: tokens, scopes, and what repeated failure leads to. */
import { UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { Problem } from "../../src/platform/problems.ts";
import { openServer, problemFrom, SECRET, whoRoute, type OpenServer } from "./open-server.ts";

const routes = [
  whoRoute([]),
  whoRoute(["analytics:read"], "/numbers"),
  whoRoute(["notify:send", "notify:send:iep"], "/send"),
];

let server: OpenServer;
beforeAll(async () => {
  server = await openServer(routes);
});
afterAll(() => server.close());

function get(path: string, authorization?: string, on = server): Promise<Response> {
  return fetch(on.url + path, { headers: authorization === undefined ? {} : { authorization } });
}

const expired = () =>
  createTokenSigner(SECRET, { now: () => Date.now() - 3_600_000 }).sign({
    userId: "u1",
    scopes: [],
    ttlSeconds: 60,
  });
const foreign = () =>
  createTokenSigner("guessed").sign({ userId: "u1", scopes: [], ttlSeconds: 60 });
const unsigned = () =>
  Promise.resolve(new UnsecuredJWT({ sub: "u1", exp: Date.now() / 1_000 + 60 }).encode());

function noKeys(): Promise<never> {
  return Promise.reject(new Problem("unavailable", "No keys now."));
}

async function withScopes(...scopes: string[]): Promise<string> {
  return `Bearer ${await server.token(scopes)}`;
}

describe("a token", () => {
  it("opens the door for its user, whatever the letter case of the scheme", async () => {
    const token = await server.token([], "teacher-7");
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const response = await get("/who", `${scheme} ${token}`);
      expect(await response.json()).toEqual({ user_id: "teacher-7" });
      expect(response.headers.get("www-authenticate")).toBeNull();
    }
  });

  it("is asked for by name where it is missing", async () => {
    const response = await get("/who");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="schoolbell"');
    expect((await problemFrom(response)).code).toBe("unauthenticated");
  });

  it.each([
    ["expired", expired, "expired"],
    ["signed by somebody else", foreign, "signature"],
    ["not signed", unsigned, "none"],
    ["nonsense", () => Promise.resolve("nonsense"), "not a JWT"],
  ])("that is %s gets 401 with the reason", async (_name, make, reason) => {
    const response = await get("/who", `Bearer ${await make()}`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect((await problemFrom(response)).detail).toContain(reason);
  });

  it.each(["Basic dTpw", "Bearer", "Bearer a b", "token"])("is not read from %j", async (value) => {
    expect((await get("/who", value)).status).toBe(401);
  });

  it("is not read from the address", async () => {
    expect((await get(`/who?token=${await server.token()}`)).status).toBe(401);
  });
});

describe("a scope", () => {
  it("is needed where the route says so, any one of several", async () => {
    expect((await get("/numbers", await withScopes("analytics:read"))).status).toBe(200);
    expect((await get("/send", await withScopes("notify:send:iep"))).status).toBe(200);
    const refused = await get("/send", await withScopes("analytics:read", "notify:send:teacher"));
    expect(refused.status).toBe(403);
    const problem = await problemFrom(refused);
    expect(problem.code).toBe("forbidden");
    expect(problem.detail).toContain("notify:send or notify:send:iep");
  });

  it("that is missing is reported with the name of the caller", async () => {
    server.rejected.length = 0;
    await get("/numbers", `Bearer ${await server.token([], "curious")}`);
    expect(server.rejected).toMatchObject([{ code: "forbidden", callerId: "curious" }]);
  });
});

describe("many bad tokens from one address", () => {
  it("are answered 429 after the tenth, while good ones still pass", async () => {
    const guarded = await openServer(routes, { failedLoginLimit: true });
    const statuses: number[] = [];
    for (let index = 0; index < 12; index += 1) {
      statuses.push((await get("/who", `Bearer guess-${index}`, guarded)).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const held = await get("/who", "Bearer guess", guarded);
    expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await problemFrom(held)).code).toBe("rate_limited");
    expect((await get("/who", `Bearer ${await guarded.token()}`, guarded)).status).toBe(200);
    expect(guarded.logs.filter((line) => line.includes("security.alert"))).toHaveLength(1);
    const { text } = await guarded.metrics.render();
    expect(text).toContain("schoolbell_auth_failures_total 13");
    await guarded.close();
  });

  it("are all explained while limits are off", async () => {
    for (let index = 0; index < 15; index += 1) {
      expect((await get("/who", "Bearer guess")).status).toBe(401);
    }
  });
});

describe("while tokens cannot be checked", () => {
  it("the answer is 503 and does not blame the token", async () => {
    const verifier = { verify: noKeys };
    const other = await openServer(routes, { verifier, failedLoginLimit: true });
    const response = await get("/who", "Bearer good", other);
    expect(response.status).toBe(503);
    expect(response.headers.get("www-authenticate")).toBeNull();
    await other.close();
  });
});
