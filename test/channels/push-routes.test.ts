/** What a browser gets when it subscribes to push, and when it sends nonsense. */
import { ECDH } from "node:crypto";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ResolveAll } from "../../src/channels/push/checked-lookup.ts";
import { vapidKeyId } from "../../src/channels/push/vapid-keys.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import {
  call,
  clock,
  CURRENT,
  PREVIOUS,
  problemOf,
  PUBLIC_KEY,
  routes,
  saying,
  store,
  stored,
  SUBSCRIPTION,
  USER,
} from "./push-routes-fixture.ts";

describe("POST /push/subscribe", () => {
  it("stores the browser's subscription for the caller, and says so once", async () => {
    const first = await call("post", "/push/subscribe", SUBSCRIPTION);
    expect(first).toMatchObject({ status: 201, body: { device_label: "Firefox on Linux" } });
    expect(await stored()).toEqual([SUBSCRIPTION.endpoint]);
    const again = await call("post", "/push/subscribe", SUBSCRIPTION);
    expect(again).toEqual({ ...first, status: 200 });
  });

  it("calls the browser what its page calls it", async () => {
    const body = { ...SUBSCRIPTION, device_label: "  Laptop at home " };
    const reply = await call("post", "/push/subscribe", body);
    expect(reply.body).toMatchObject({ device_label: "Laptop at home" });
  });

  it.each<[what: string, body: unknown, path: string]>([
    ["no keys", { endpoint: SUBSCRIPTION.endpoint }, "keys"],
    ["no endpoint", { keys: SUBSCRIPTION.keys }, "endpoint"],
    ["no object", "subscription", ""],
    ["nothing", undefined, ""],
    [
      "a key that is too short",
      { ...SUBSCRIPTION, keys: { ...SUBSCRIPTION.keys, p256dh: "BAAA" } },
      "keys.p256dh",
    ],
    [
      "a compressed key",
      {
        ...SUBSCRIPTION,
        keys: {
          ...SUBSCRIPTION.keys,
          p256dh: ECDH.convertKey(PUBLIC_KEY, "prime256v1", "base64url", "base64url", "compressed"),
        },
      },
      "keys.p256dh",
    ],
    [
      "a key that is no point of the curve",
      {
        ...SUBSCRIPTION,
        keys: {
          ...SUBSCRIPTION.keys,
          p256dh: Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)]).toString("base64url"),
        },
      },
      "keys.p256dh",
    ],
    [
      "an auth secret of 15 bytes",
      {
        ...SUBSCRIPTION,
        keys: { ...SUBSCRIPTION.keys, auth: Buffer.alloc(15).toString("base64url") },
      },
      "keys.auth",
    ],
    [
      "an endless endpoint",
      { ...SUBSCRIPTION, endpoint: `https://fcm.googleapis.com/${"x".repeat(2_048)}` },
      "endpoint",
    ],
    ["one that has ended", { ...SUBSCRIPTION, expirationTime: 1_000 }, "expirationTime"],
    ["a name of 61 letters", { ...SUBSCRIPTION, device_label: "x".repeat(61) }, "device_label"],
    ["a name of two lines", { ...SUBSCRIPTION, device_label: "a\nb" }, "device_label"],
    ["a visit that is no yes or no", { ...SUBSCRIPTION, visit: "yes" }, "visit"],
    ["an empty name", { ...SUBSCRIPTION, device_label: " " }, "device_label"],
  ])("refuses %s and names the field", async (_what, body, path) => {
    const problem = await problemOf(call("post", "/push/subscribe", body));
    expect(problem.code).toBe("invalid_subscription");
    expect(problem.errors.map((issue) => issue.path)).toContain(path);
    expect(await stored()).toEqual([]);
  });

  it("says in plain words that a subscription has no keys", async () => {
    const { endpoint } = SUBSCRIPTION;
    const problem = await problemOf(call("post", "/push/subscribe", { endpoint }));
    expect(problem.errors).toEqual([{ path: "keys", message: "is required" }]);
  });

  it.each(["https://example.org/x", "http://fcm.googleapis.com/x", "https://127.0.0.1/x", "x"])(
    "refuses the endpoint %s",
    async (endpoint) => {
      const body = { ...SUBSCRIPTION, endpoint };
      const problem = await problemOf(call("post", "/push/subscribe", body));
      expect(problem.code).toBe("endpoint_not_allowed");
      expect(await stored()).toEqual([]);
    },
  );

  it.each([
    ["loopback", ["127.0.0.1"]],
    ["a private network", ["10.1.2.3"]],
    ["a link-local address", ["fe80::1"]],
    ["the metadata service of a cloud", ["169.254.169.254"]],
    ["a closed address among open ones", ["142.250.74.74", "192.168.0.1"]],
  ])("refuses an endpoint whose name leads to %s", async (_what, addresses) => {
    const available = routes(true, saying(...addresses));
    const problem = await problemOf(call("post", "/push/subscribe", SUBSCRIPTION, { available }));
    expect(problem.code).toBe("endpoint_not_allowed");
    expect(await stored()).toEqual([]);
  });

  it("asks about the name that the endpoint has", async () => {
    const asked: string[] = [];
    const available = routes(true, (name, options, callback) => {
      asked.push(name);
      saying("142.250.74.74")(name, options, callback);
    });
    await call("post", "/push/subscribe", SUBSCRIPTION, { available });
    expect(asked).toEqual(["fcm.googleapis.com"]);
  });

  it("takes one whose name cannot be resolved now: each send looks again", async () => {
    const failing: ResolveAll = (_name, _options, callback) => {
      callback(Object.assign(new Error("no name server"), { code: "EAI_AGAIN" }), []);
    };
    const available = routes(true, failing);
    expect((await call("post", "/push/subscribe", SUBSCRIPTION, { available })).status).toBe(201);
  });

  it("does not wait for a name server that says nothing", async () => {
    const asked = Promise.withResolvers<void>();
    const available = routes(true, () => asked.resolve());
    const reply = call("post", "/push/subscribe", SUBSCRIPTION, { available });
    await asked.promise;
    clock.advance(2_000);
    expect((await reply).status).toBe(201);
  });

  it("does not ask name servers about an origin that the operator named", async () => {
    const available = routes(true, saying("127.0.0.1"));
    const body = { ...SUBSCRIPTION, endpoint: "http://127.0.0.1:9999/push" };
    expect((await call("post", "/push/subscribe", body, { available })).status).toBe(201);
  });

  it("notes the VAPID key that the browser says it subscribed with, written either way", async () => {
    for (const key of [PREVIOUS.publicKey, `${PREVIOUS.publicKey}=`]) {
      await call("post", "/push/subscribe", { ...SUBSCRIPTION, application_server_key: key });
      expect(await store.list(USER)).toMatchObject([{ keyId: vapidKeyId(PREVIOUS.publicKey) }]);
    }
    await store.remove(USER, SUBSCRIPTION.endpoint);
    await call("post", "/push/subscribe", SUBSCRIPTION);
    expect(await store.list(USER)).toMatchObject([{ keyId: vapidKeyId(CURRENT.publicKey) }]);
  });

  it("refuses a subscription made with a key that this installation does not have", async () => {
    const body = { ...SUBSCRIPTION, application_server_key: makeVapidPair().publicKey };
    const problem = await problemOf(call("post", "/push/subscribe", body));
    expect(problem.code).toBe("invalid_subscription");
    expect(problem.errors.map((issue) => issue.path)).toEqual(["application_server_key"]);
    expect(await stored()).toEqual([]);
  });

  it("is described with every field of a subscription", () => {
    const schema = routes(true).find((route) => route.method === "post")?.body;
    expect(schema === undefined ? {} : z.toJSONSchema(schema, { io: "input" })).toMatchObject({
      type: "object",
      required: ["endpoint", "keys"],
      properties: { keys: { properties: { p256dh: {}, auth: {} } } },
    });
  });
});

describe("DELETE /push/subscribe", () => {
  it("takes the subscription back, and again without complaint", async () => {
    await call("post", "/push/subscribe", SUBSCRIPTION);
    const { endpoint } = SUBSCRIPTION;
    expect(await call("delete", "/push/subscribe", { endpoint })).toEqual({ status: 204 });
    expect(await stored()).toEqual([]);
    expect(await call("delete", "/push/subscribe", { endpoint })).toEqual({ status: 204 });
  });
});

describe("GET /push/vapid-public-key", () => {
  it("gives anyone the key to subscribe with", async () => {
    expect(await call("get", "/push/vapid-public-key")).toEqual({
      status: 200,
      body: { public_key: CURRENT.publicKey },
    });
  });
});

describe("without VAPID keys", () => {
  it.each([
    ["get", "/push/vapid-public-key"],
    ["post", "/push/subscribe"],
    ["post", "/push/renew"],
  ])("%s %s says that push is not configured", async (method, path) => {
    const problem = await problemOf(call(method, path, SUBSCRIPTION, { available: routes(false) }));
    expect(problem.code).toBe("not_found");
    expect(await stored()).toEqual([]);
  });
});
