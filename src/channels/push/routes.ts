/** Where browsers hand in and take back their push subscriptions. */
import { z } from "zod";
import { publicRoute, tokenRoute, type Route } from "../../http/route.ts";
import { Problem } from "../../platform/problems.ts";
import type { EndpointPolicy } from "./endpoint-policy.ts";
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

/** Only the root of a document says which dialect it is in. */
const { $schema: _dialect, ...subscriptionShape } = z.toJSONSchema(subscriptionSchema, {
  io: "input",
});

/** Described in full, but parsed by the handler, so that a wrong one has a code of its own. */
const rawSubscription = z.unknown().meta({
  ...subscriptionShape,
  description: "PushSubscription.toJSON() as the browser gives it",
});

const subscribed = z.object({ subscription_id: z.string() });
const unsubscription = z.object({ endpoint: endpointSchema });
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
    tag: "push",
    rateLimit: "subscribe",
    scopes: [],
    body: rawSubscription,
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
          errors: [{ path: "endpoint", message: verdict.reason }],
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
    tag: "push",
    rateLimit: "default",
    scopes: [],
    body: unsubscription,
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
    tag: "push",
    rateLimit: "none",
    responses: { 200: { description: "The VAPID public key", schema: publicKeyBody } },
    problems: ["not_found"],
    handle() {
      if (publicKey === undefined) throw notConfigured();
      return { status: 200, body: { public_key: publicKey } };
    },
  });
}
