/** The push routes over a real store, called as the HTTP kit does, as a person in Firefox on Linux. */
import { createECDH } from "node:crypto";
import { isIP } from "node:net";
import { afterEach, beforeEach } from "vitest";
import { z } from "zod";
import { createEndpointPolicy } from "../../src/channels/push/endpoint-policy.ts";
import { createRenewalTokens } from "../../src/channels/push/renewal-token.ts";
import { createPushRoutes } from "../../src/channels/push/routes.ts";
import {
  createSubscriptionStore,
  type SubscriptionStore,
} from "../../src/channels/push/subscriptions.ts";
import { createLookAhead, type ResolveAll } from "../../src/channels/push/checked-lookup.ts";
import { createSubscriptionIntake } from "../../src/channels/push/subscription-intake.ts";
import { createVapidKeys } from "../../src/channels/push/vapid-keys.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import type { Reply, Route } from "../../src/http/route.ts";
import { Problem } from "../../src/platform/problems.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const ecdh = createECDH("prime256v1");
export const PUBLIC_KEY = ecdh.generateKeys("base64url");
export const SUBSCRIPTION = {
  endpoint: "https://fcm.googleapis.com/fcm/send/abc",
  expirationTime: null,
  keys: { p256dh: PUBLIC_KEY, auth: Buffer.alloc(16, 5).toString("base64url") },
};

export const KEY = Buffer.alloc(32, 1);
export const sealing = createSealing(KEY);
export const DAY_MS = 86_400_000;
export const LIFE = { staleMs: 60 * DAY_MS, warningMs: 14 * DAY_MS };
export const USER = "teacher-7";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

export const CURRENT = makeVapidPair();
export const PREVIOUS = makeVapidPair();

let test: TestRedis;
export let clock: ManualClock;
export let store: SubscriptionStore;

beforeEach(async () => {
  test = await openTestRedis();
  clock = createManualClock();
  const { redis, keyspace } = test;
  store = createSubscriptionStore({ redis, keyspace, sealing, clock, life: LIFE });
});
afterEach(async () => {
  await test.close();
});

/** @param resolve what name servers say; unless told, an address of the public internet */
export function routes(configured: boolean, resolve = saying("142.250.74.74")): Route[] {
  const keys = configured ? createVapidKeys(CURRENT, [PREVIOUS]) : undefined;
  return createPushRoutes({
    subscriptions: store,
    intake: createSubscriptionIntake({
      policy: createEndpointPolicy(["fcm.googleapis.com", "http://127.0.0.1:9999"]),
      keys,
      leadsInward: createLookAhead(clock, resolve),
      now: () => clock.now(),
    }),
    renewals: createRenewalTokens({ sealing }),
    publicKey: keys?.current.publicKey,
  });
}

/** A name server that answers with these addresses. */
export function saying(...addresses: readonly string[]): ResolveAll {
  return (_name, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
}

export async function stored(userId = USER): Promise<string[]> {
  return (await store.list(userId)).map(({ endpoint }) => endpoint);
}

interface Call {
  readonly as?: string;
  readonly id?: string;
  readonly available?: readonly Route[];
}

/** Calls a route as the HTTP kit does: the body parsed with the route's schema. */
export async function call(
  method: string,
  path: string,
  body?: unknown,
  { as = USER, id, available = routes(true) }: Call = {},
): Promise<Reply> {
  const route = available.find((one) => one.method === method && one.path === path);
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  return await route.handle({
    params: route.params?.parse({ id }),
    query: undefined,
    body: route.body?.parse(body),
    caller:
      route.security.access === "token"
        ? { userId: as, scopes: new Set(), expiresAt: 0 }
        : undefined,
    context: {
      requestId: "r",
      ip: "127.0.0.1",
      header: (name) => (name === "user-agent" ? FIREFOX : undefined),
    },
  });
}

export async function subscribe(): Promise<string> {
  const reply = await call("post", "/push/subscribe", SUBSCRIPTION);
  return z.object({ subscription_id: z.string() }).parse(reply.body).subscription_id;
}

export async function problemOf(reply: Promise<Reply>): Promise<Problem> {
  try {
    await reply;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("the request was not refused");
}
