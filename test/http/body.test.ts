/** What a caller is told about a body that cannot be used, and what reaches the handler otherwise. */
import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { MAX_LARGE_BODIES } from "../../src/http/json-body.ts";
import { publicRoute } from "../../src/http/route.ts";
import { anyReply, echoRoute, openServer, problemFrom, type OpenServer } from "./open-server.ts";

const KB = 1_024;

const bulkRoute = publicRoute({
  method: "post",
  path: "/bulk",
  summary: "Takes a large body",
  tag: "test",
  rateLimit: "none",
  bodyLimitBytes: 4_096 * KB,
  body: z.object({ items: z.array(z.unknown()) }),
  responses: anyReply,
  problems: [],
  handle: ({ body }) => ({ status: 200, body: { count: body.items.length } }),
});

let server: OpenServer;
beforeAll(async () => {
  server = await openServer([echoRoute, bulkRoute]);
});
afterAll(() => server.close());

function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { "content-type": "application/json" },
  path = "/echo",
): Promise<Response> {
  return fetch(server.url + path, { method: "POST", headers, body });
}

describe("a JSON body", () => {
  it("reaches the handler parsed, without the fields that nobody described", async () => {
    const response = await post('{"user_id":"é1","count":2,"strange":true}');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ user_id: "é1", count: 2 });
  });

  it("may be compressed and may name its charset", async () => {
    const response = await post(gzipSync('{"user_id":"u"}'), {
      "content-type": "application/json; charset=UTF-8",
      "content-encoding": "gzip",
    });
    expect(await response.json()).toEqual({ user_id: "u" });
  });

  it.each([
    ["cut short", '{"user_id":'],
    ["empty", ""],
    ["not JSON at all", "user_id=1"],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0xfe, 0x22])],
  ])("that is %s is invalid_json", async (_name, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect((await problemFrom(response)).code).toBe("invalid_json");
  });

  it("of wrong types names every wrong field", async () => {
    const response = await post('{"user_id":7,"count":"many"}');
    expect(response.status).toBe(400);
    const problem = await problemFrom(response);
    expect(problem.code).toBe("invalid_request");
    expect(problem.errors.map((error) => error.path)).toEqual(["user_id", "count"]);
    expect(problem.detail).toContain("user_id");
  });

  it("without a field says so in plain words", async () => {
    const problem = await problemFrom(await post('{"count":1}'));
    expect(problem.errors).toEqual([{ path: "user_id", message: "is required" }]);
  });

  it.each(["[]", "null", '"text"', "7"])("that is no object (%s) is refused", async (body) => {
    expect((await problemFrom(await post(body))).code).toBe("invalid_request");
  });

  it("with thousands of faults lists a readable number of them", async () => {
    const data = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, 1]));
    const strict = publicRoute({
      ...echoRoute,
      path: "/strict",
      body: z.record(z.string(), z.string()),
      handle: () => ({ status: 200 }),
    });
    const other = await openServer([strict]);
    const response = await fetch(`${other.url}/strict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(data),
    });
    expect((await problemFrom(response)).errors).toHaveLength(50);
    await other.close();
  });
});

describe("a body of another kind", () => {
  it.each([
    ["plain text", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["JSON in another charset", { "content-type": "application/json; charset=latin1" }],
    [
      "an unknown compression",
      { "content-type": "application/json", "content-encoding": "zstd-9" },
    ],
  ])("such as %s is unsupported_media_type", async (_name, headers) => {
    const response = await post('{"user_id":"u"}', headers);
    expect(response.status).toBe(415);
    expect((await problemFrom(response)).code).toBe("unsupported_media_type");
  });
});

describe("a body over the limit", () => {
  it("is body_too_large when its length is announced", async () => {
    const response = await post(JSON.stringify({ user_id: "x".repeat(64 * KB) }));
    expect(response.status).toBe(413);
    expect((await problemFrom(response)).code).toBe("body_too_large");
  });

  it("is body_too_large when it comes in pieces of unknown number", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        `${server.url}/echo`,
        { method: "POST", headers: { "content-type": "application/json" } },
        (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode);
        },
      );
      outgoing.on("error", reject);
      for (let index = 0; index < 5; index += 1) outgoing.write(" ".repeat(20 * KB));
      outgoing.end();
    });
    expect(status).toBe(413);
  });

  it("is found out behind a compression that makes it small", async () => {
    const response = await post(gzipSync(JSON.stringify({ user_id: "x".repeat(1_000 * KB) })), {
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
    expect(response.status).toBe(413);
  });

  it("is measured by the limit of its route", async () => {
    const response = await post(
      JSON.stringify({ items: ["x".repeat(200 * KB)] }),
      { "content-type": "application/json" },
      "/bulk",
    );
    expect(await response.json()).toEqual({ count: 1 });
  });
});

describe("a body meant to hurt", () => {
  it.each([
    ["arrays", "[".repeat(100_000)],
    ["closed arrays", "[".repeat(100_000) + "]".repeat(100_000)],
    ["objects", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000)],
  ])("of 100,000 nested %s is refused, and the server goes on", async (_name, inner) => {
    const response = await post(
      `{"items":[${inner}]}`,
      { "content-type": "application/json" },
      "/bulk",
    );
    expect(response.status).toBe(400);
    expect((await problemFrom(response)).detail).toContain("nested");
    expect((await post('{"user_id":"u"}')).status).toBe(200);
  });

  it("may hold brackets inside of strings", async () => {
    const text = `${"[".repeat(500)}\\"${"{".repeat(500)}`;
    const response = await post(JSON.stringify({ user_id: text }));
    expect(await response.json()).toEqual({ user_id: text });
  });

  it.each(["__proto__", "\\u005f_proto_\\u005F"])("cannot bring the key %s in", async (key) => {
    const response = await post(`{"user_id":"u","data":{"a":[{"${key}":{"polluted":1}}]}}`);
    expect(response.status).toBe(400);
    expect((await problemFrom(response)).errors[0]?.path).toBe("data.a.0.__proto__");
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
  });

  it("may hold that word as a value", async () => {
    const response = await post('{"user_id":"__proto__"}');
    expect(await response.json()).toEqual({ user_id: "__proto__" });
  });
});

describe("many large bodies at once", () => {
  const LARGE = JSON.stringify({ items: ["x".repeat(100 * KB)] });
  const SMALL = JSON.stringify({ items: ["x"] });

  it("are taken up to a limit; more are asked to come later, small ones never", async () => {
    const gate = Promise.withResolvers<void>();
    const all = Promise.withResolvers<void>();
    let inHand = 0;
    const slowRoute = publicRoute({
      method: "post",
      path: "/slow",
      summary: "Takes a large body and its time",
      tag: "test",
      rateLimit: "none",
      bodyLimitBytes: 4_096 * KB,
      body: z.object({ items: z.array(z.string()) }),
      responses: anyReply,
      problems: [],
      async handle({ body }) {
        if (body.items[0] === "x") return { status: 200, body: {} };
        inHand += 1;
        if (inHand === MAX_LARGE_BODIES) all.resolve();
        await gate.promise;
        return { status: 200, body: {} };
      },
    });
    const slow = await openServer([slowRoute]);
    const send = (body: string | Uint8Array<ArrayBuffer>, encoding = {}): Promise<Response> =>
      fetch(`${slow.url}/slow`, {
        method: "POST",
        headers: { "content-type": "application/json", ...encoding },
        body,
      });

    const taken = Array.from({ length: MAX_LARGE_BODIES }, () => send(LARGE));
    await all.promise;
    const late = await send(LARGE);
    expect(late.status).toBe(503);
    expect(late.headers.get("retry-after")).toBe("1");
    expect((await problemFrom(late)).code).toBe("unavailable");
    // It is small only on the way.
    expect((await send(gzipSync(LARGE), { "content-encoding": "gzip" })).status).toBe(503);
    expect((await send(SMALL)).status).toBe(200);

    gate.resolve();
    const statuses = (await Promise.all(taken)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    await expect.poll(async () => (await send(LARGE)).status).toBe(200);
    await slow.close();
  });
});
