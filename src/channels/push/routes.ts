/** Where browsers hand in and take back their push subscriptions. */
import { z } from "zod";
import { describedAs } from "../../http/openapi.ts";
import { publicRoute, tokenRoute, type Route } from "../../http/route.ts";
import { Problem } from "../../platform/problems.ts";
import type { EndpointPolicy, EndpointRefusal } from "./endpoint-policy.ts";
import { endpointSchema, subscriptionSchema, type PushSubscription } from "./subscription.ts";

export interface PushRoutesOptions {
  readonly subscriptions: {
    put(
      userId: string,
      subscription: PushSubscription,
    ): Promise<{ subscriptionId: string; created: boolean }>;
    remove(userId: string, endpoint: string): Promise<boolean>;
  };
  readonly policy: EndpointPolicy;
  /** Undefined where push is not configured: then there is nothing to subscribe with. */
  readonly publicKey: string | undefined;
}

/** Why an endpoint is refused, for who has to mend it. */
const REFUSALS: Readonly<Record<EndpointRefusal, string>> = {
  malformed: "must be a URL",
  not_https: "must be an https address",
  credentials: "must not hold a user name or password",
  port: "must use the standard port",
  host: "is not at a push service that this installation sends to (PUSH_ALLOWED_HOSTS)",
  closed_address: "must not be a private, local or reserved address",
};

/** Parsed by the handler, so that a wrong one has a code of its own. */
const rawSubscription = describedAs(
  subscriptionSchema,
  "`PushSubscription.toJSON()` as the browser gives it",
);

/** Of no browser; the point is the base point of the curve. */
const EXAMPLE_ENDPOINT = "https://fcm.googleapis.com/fcm/send/example";
const EXAMPLE_SUBSCRIPTION = {
  endpoint: EXAMPLE_ENDPOINT,
  expirationTime: null,
  keys: {
    p256dh:
      "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    auth: "AAECAwQFBgcICQoLDA0ODw",
  },
};

const subscribed = z.object({ subscription_id: z.string() });
const unsubscription = z.object({
  endpoint: endpointSchema.describe("the endpoint of the subscription to take back"),
});
const publicKeyBody = z.object({
  public_key: z.string().describe("applicationServerKey for pushManager.subscribe, in base64url"),
});

/** @throws Problem `invalid_subscription` with an entry per wrong field. */
function parseSubscription(body: unknown): PushSubscription {
  const result = subscriptionSchema.safeParse(body);
  if (result.success) return result.data;
  throw new Problem("invalid_subscription", "Send the browser's PushSubscription as it is.", {
    errors: result.error.issues.map((issue) => ({
      path: issue.path.join("."),
      message: issue.message,
    })),
  });
}

export function createPushRoutes(options: PushRoutesOptions): Route[] {
  return [subscribeRoute(options), unsubscribeRoute(options), publicKeyRoute(options)];
}

function notConfigured(): Problem {
  return new Problem("not_found", "Push is not configured on this installation.");
}

function subscribeRoute({ subscriptions, policy, publicKey }: PushRoutesOptions): Route {
  return tokenRoute({
    method: "post",
    path: "/push/subscribe",
    summary: "Subscribe this browser to the caller's push notifications",
    tag: "Push",
    rateLimit: "subscribe",
    scopes: [],
    body: rawSubscription,
    example: EXAMPLE_SUBSCRIPTION,
    responses: {
      200: { description: "It was known; it is now the most recently seen", schema: subscribed },
      201: { description: "It is stored", schema: subscribed },
    },
    problems: ["invalid_subscription", "endpoint_not_allowed", "not_found"],
    async handle({ body, caller }) {
      if (publicKey === undefined) throw notConfigured();
      const subscription = parseSubscription(body);
      const verdict = policy.judge(subscription.endpoint);
      if (!verdict.allowed) {
        throw new Problem("endpoint_not_allowed", "This push service is not one we send to.", {
          errors: [{ path: "endpoint", message: REFUSALS[verdict.reason] }],
        });
      }
      const { subscriptionId, created } = await subscriptions.put(caller.userId, subscription);
      return { status: created ? 201 : 200, body: { subscription_id: subscriptionId } };
    },
  });
}

function unsubscribeRoute({ subscriptions }: PushRoutesOptions): Route {
  return tokenRoute({
    method: "delete",
    path: "/push/subscribe",
    summary: "Take back one of the caller's push subscriptions",
    tag: "Push",
    rateLimit: "default",
    scopes: [],
    body: unsubscription,
    example: { endpoint: EXAMPLE_ENDPOINT },
    responses: { 204: { description: "It is gone, or was never there" } },
    problems: [],
    async handle({ body, caller }) {
      await subscriptions.remove(caller.userId, body.endpoint);
      return { status: 204 };
    },
  });
}

function publicKeyRoute({ publicKey }: PushRoutesOptions): Route {
  return publicRoute({
    method: "get",
    path: "/push/vapid-public-key",
    summary: "The key with which a browser subscribes",
    tag: "Push",
    rateLimit: "none",
    responses: { 200: { description: "The VAPID public key", schema: publicKeyBody } },
    problems: ["not_found"],
    handle() {
      if (publicKey === undefined) throw notConfigured();
      return { status: 200, body: { public_key: publicKey } };
    },
  });
}
