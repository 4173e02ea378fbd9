/** Where browsers hand in and take back their push subscriptions. */
import { z } from "zod";
import { describedAs } from "../../http/openapi.ts";
import { publicRoute, tokenRoute, type Route } from "../../http/route.ts";
import {
  pushNotConfigured,
  type AcceptedSubscription,
  type SubscriptionIntake,
} from "./subscription-intake.ts";
import { endpointSchema, subscriptionSchema } from "./subscription.ts";

export interface PushRoutesOptions {
  readonly subscriptions: {
    put(
      userId: string,
      subscription: AcceptedSubscription,
    ): Promise<{ subscriptionId: string; created: boolean }>;
    remove(userId: string, endpoint: string): Promise<boolean>;
  };
  readonly intake: SubscriptionIntake;
  /** Undefined where push is not configured: then there is nothing to subscribe with. */
  readonly publicKey: string | undefined;
}

/** Parsed by the handler, so that a wrong one has a code of its own. */
const rawSubscription = describedAs(
  subscriptionSchema,
  "`PushSubscription.toJSON()` as the browser gives it, and the key it subscribed with",
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

export function createPushRoutes(options: PushRoutesOptions): Route[] {
  return [subscribeRoute(options), unsubscribeRoute(options), publicKeyRoute(options)];
}

function subscribeRoute({ subscriptions, intake }: PushRoutesOptions): Route {
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
      const subscription = await intake(body);
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
      if (publicKey === undefined) throw pushNotConfigured();
      return { status: 200, body: { public_key: publicKey } };
    },
  });
}
