/** What a browser gets when it subscribes to push, and when it sends nonsense. */
import { ECDH, createECDH } from "node:crypto";
import { isIP } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createEndpointPolicy } from "../../src/channels/push/endpoint-policy.ts";
import { createLookAhead, type ResolveAll } from "../../src/channels/push/checked-lookup.ts";
import { createPushRoutes } from "../../src/channels/push/routes.ts";
import {
  createSubscriptionIntake,
  type SubscribedWith,
} from "../../src/channels/push/subscription-intake.ts";
import { createVapidKeys, vapidKeyId } from "../../src/channels/push/vapid-keys.ts";
import type { Reply, Route } from "../../src/http/route.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { Problem } from "../../src/platform/problems.ts";
import { createManualClock } from "../support/manual-clock.ts";

const ecdh = createECDH("prime256v1");
const PUBLIC_KEY = ecdh.generateKeys("base64url");
const SUBSCRIPTION = {
  endpoint: "https://fcm.googleapis.com/fcm/send/abc",
  expirationTime: null,
  keys: { p256dh: PUBLIC_KEY, auth: Buffer.alloc(16, 5).toString("base64url") },
};

const CURRENT = makeVapidPair();
const PREVIOUS = makeVapidPair();

let owners: Map<string, string>;
/** The VAPID key of what was handed in last. */
let vapid: SubscribedWith | undefined;

beforeEach(() => {
  owners = new Map();
  vapid = undefined;
});

/** @param resolve what name servers say; unless told, an address of the public internet */
function routes(configured: boolean, resolve = saying("142.250.74.74")): Route[] {
  const keys = configured ? createVapidKeys(CURRENT, [PREVIOUS]) : undefined;
  return createPushRoutes({
    intake: createSubscriptionIntake({
      policy: createEndpointPolicy(["fcm.googleapis.com", "http://127.0.0.1:9999"]),
      keys,
      leadsInward: createLookAhead(clock, resolve),
    }),
    publicKey: keys?.current.publicKey,
    subscriptions: {
      async put(userId, subscription) {
        const { endpoint } = subscription;
        const created = owners.get(endpoint) !== userId;
        owners.set(endpoint, userId);
        vapid = subscription.vapid;
        return await Promise.resolve({ subscriptionId: "id-of-it", created });
      },
      remove: async (_userId, endpoint) => await Promise.resolve(owners.delete(endpoint)),
    },
  });
}

const clock = createManualClock();

/** A name server that answers with these addresses. */
function saying(...addresses: readonly string[]): ResolveAll {
  return (_name, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
}

/** Calls a route as the HTTP kit does: the body parsed with the route's schema. */
async function call(
  method: string,
  path: string,
  body?: unknown,
  available = routes(true),
): Promise<Reply> {
  const route = available.find((one) => one.method === method && one.path === path);
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  return await route.handle({
    params: undefined,
    query: undefined,
    body: route.body?.parse(body),
    caller:
      route.security.access === "token"
        ? { userId: "teacher-7", scopes: new Set(), expiresAt: 0 }
        : undefined,
    context: { requestId: "r", ip: "127.0.0.1", header: () => undefined },
  });
}

async function problemOf(reply: Promise<Reply>): Promise<Problem> {
  try {
    await reply;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("the request was not refused");
}

describe("POST /push/subscribe", () => {
  it("stores the browser's subscription for the caller, and says so once", async () => {
    const first = await call("post", "/push/subscribe", SUBSCRIPTION);
    expect(first).toEqual({ status: 201, body: { subscription_id: "id-of-it" } });
    expect(owners.get(SUBSCRIPTION.endpoint)).toBe("teacher-7");
    const again = await call("post", "/push/subscribe", SUBSCRIPTION);
    expect(again).toEqual({ status: 200, body: { subscription_id: "id-of-it" } });
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
  ])("refuses %s and names the field", async (_what, body, path) => {
    const problem = await problemOf(call("post", "/push/subscribe", body));
    expect(problem.code).toBe("invalid_subscription");
    expect(problem.errors.map((issue) => issue.path)).toContain(path);
    expect(owners.size).toBe(0);
  });

  it.each(["https://example.org/x", "http://fcm.googleapis.com/x", "https://127.0.0.1/x", "x"])(
    "refuses the endpoint %s",
    async (endpoint) => {
      const body = { ...SUBSCRIPTION, endpoint };
      const problem = await problemOf(call("post", "/push/subscribe", body));
      expect(problem.code).toBe("endpoint_not_allowed");
      expect(owners.size).toBe(0);
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
    const problem = await problemOf(call("post", "/push/subscribe", SUBSCRIPTION, available));
    expect(problem.code).toBe("endpoint_not_allowed");
    expect(owners.size).toBe(0);
  });

  it("takes one whose name cannot be resolved now: each send looks again", async () => {
    const failing: ResolveAll = (_name, _options, callback) => {
      callback(Object.assign(new Error("no name server"), { code: "EAI_AGAIN" }), []);
    };
    const available = routes(true, failing);
    expect((await call("post", "/push/subscribe", SUBSCRIPTION, available)).status).toBe(201);
  });

  it("does not wait for a name server that says nothing", async () => {
    const asked = Promise.withResolvers<void>();
    const available = routes(true, () => asked.resolve());
    const reply = call("post", "/push/subscribe", SUBSCRIPTION, available);
    await asked.promise;
    clock.advance(2_000);
    expect((await reply).status).toBe(201);
  });

  it("does not ask name servers about an origin that the operator named", async () => {
    const available = routes(true, saying("127.0.0.1"));
    const body = { ...SUBSCRIPTION, endpoint: "http://127.0.0.1:9999/push" };
    expect((await call("post", "/push/subscribe", body, available)).status).toBe(201);
  });

  it("notes the VAPID key that the browser says it subscribed with, written either way", async () => {
    for (const key of [PREVIOUS.publicKey, `${PREVIOUS.publicKey}=`]) {
      await call("post", "/push/subscribe", { ...SUBSCRIPTION, application_server_key: key });
      expect(vapid).toEqual({ keyId: vapidKeyId(PREVIOUS.publicKey), stated: true });
    }
    await call("post", "/push/subscribe", SUBSCRIPTION);
    expect(vapid).toEqual({ keyId: vapidKeyId(CURRENT.publicKey), stated: false });
  });

  it("refuses a subscription made with a key that this installation does not have", async () => {
    const body = { ...SUBSCRIPTION, application_server_key: makeVapidPair().publicKey };
    const problem = await problemOf(call("post", "/push/subscribe", body));
    expect(problem.code).toBe("invalid_subscription");
    expect(problem.errors.map((issue) => issue.path)).toEqual(["application_server_key"]);
    expect(owners.size).toBe(0);
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
    expect(owners.size).toBe(0);
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
  ])("%s %s says that push is not configured", async (method, path) => {
    const problem = await problemOf(call(method, path, SUBSCRIPTION, routes(false)));
    expect(problem.code).toBe("not_found");
    expect(owners.size).toBe(0);
  });
});
