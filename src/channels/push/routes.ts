/** Where browsers hand in and take back their push subscriptions. */
import { z } from "zod";
import { describedAs } from "../../http/openapi.ts";
import { publicRoute, tokenRoute, type Route } from "../../http/route.ts";
import { issuesOf } from "../../platform/problem-issues.ts";
import { Problem } from "../../platform/problems.ts";
import { deviceLabel } from "./device-label.ts";
import { deviceRoutes } from "./device-routes.ts";
import type { RenewalTokens } from "./renewal-token.ts";
import { pushNotConfigured, type SubscriptionIntake } from "./subscription-intake.ts";
import { deviceLabelSchema, endpointSchema, subscriptionSchema } from "./subscription.ts";
import type { SubscriptionStore } from "./subscriptions.ts";

export interface PushRoutesOptions {
  readonly subscriptions: SubscriptionStore;
  readonly intake: SubscriptionIntake;
  readonly renewals: RenewalTokens;
  /** Undefined where push is not configured: then there is nothing to subscribe with. */
  readonly publicKey: string | undefined;
}

const deviceFields = z.object({
  device_label: deviceLabelSchema
    .optional()
    .describe(
      "what the person calls this browser, such as: laptop at home; default: made of User-Agent",
    ),
  visit: z
    .boolean()
    .default(false)
    .describe(
      "true: sent unasked when a page was opened. A browser that its person took off their list " +
        "then stays off; default: false",
    ),
});

/** Parsed by the handlers, so that a wrong one has a code of its own. */
const rawSubscription = describedAs(
  subscriptionSchema.extend(deviceFields.shape),
  "`PushSubscription.toJSON()` as the browser gives it, and what it is called",
);
const rawRenewal = describedAs(
  z.object({
    renewal: z.string().describe("`renewal` of the answer with which the former was stored"),
    subscription: subscriptionSchema.describe("`PushSubscription.toJSON()` of the new one"),
  }),
  "A browser's new subscription, and the leave to put it in the place of the former",
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

const subscribed = z.object({
  subscription_id: z.string(),
  device_label: z.string().describe("what this browser is called in the list of devices"),
  renewal: z
    .string()
    .describe("for the service worker: with it, it hands in what the browser puts in its place"),
});
const unsubscription = z.object({
  endpoint: endpointSchema.describe("the endpoint of the subscription to take back"),
});
const publicKeyBody = z.object({
  public_key: z.string().describe("applicationServerKey for pushManager.subscribe, in base64url"),
});

const MAX_RENEWAL_LENGTH = 512;
const renewalSchema = z.object({
  renewal: z.string().max(MAX_RENEWAL_LENGTH),
  subscription: z.unknown(),
});

/** @throws Problem `invalid_subscription` with an entry per wrong field. */
function parseDevice(body: unknown): z.infer<typeof deviceFields> {
  const result = deviceFields.safeParse(body);
  if (result.success) return result.data;
  throw new Problem("invalid_subscription", "What is said beside the subscription is not valid.", {
    errors: issuesOf(result.error),
  });
}

export function createPushRoutes(options: PushRoutesOptions): Route[] {
  return [
    subscribeRoute(options),
    unsubscribeRoute(options),
    renewRoute(options),
    ...deviceRoutes(options),
    publicKeyRoute(options),
  ];
}

function dismissed(): Problem {
  return new Problem(
    "subscription_removed",
    "This browser was taken off the list of devices: turn notifications on there again.",
  );
}

function subscribeRoute(options: PushRoutesOptions): Route {
  const { subscriptions, intake, renewals } = options;
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
    problems: ["invalid_subscription", "endpoint_not_allowed", "subscription_removed", "not_found"],
    async handle({ body, caller, context }) {
      const subscription = await intake(body);
      const { device_label: label, visit } = parseDevice(body);
      const details = { label, madeLabel: deviceLabel(context.header("user-agent")) };
      const stored = visit
        ? await subscriptions.revisit(caller.userId, subscription, details)
        : await subscriptions.put(caller.userId, subscription, details);
      if (stored === undefined) throw dismissed();
      return {
        status: stored.created ? 201 : 200,
        body: subscribedBody(renewals, caller.userId, stored),
      };
    },
  });
}

function subscribedBody(
  renewals: RenewalTokens,
  userId: string,
  { subscriptionId, label }: { readonly subscriptionId: string; readonly label: string },
): z.infer<typeof subscribed> {
  return {
    subscription_id: subscriptionId,
    device_label: label,
    renewal: renewals.sign({ userId, subscriptionId }),
  };
}

function renewRoute(options: PushRoutesOptions): Route {
  const { subscriptions, intake, renewals, publicKey } = options;
  return publicRoute({
    method: "post",
    path: "/push/renew",
    summary: "A service worker hands in the subscription that takes the place of another",
    tag: "Push",
    rateLimit: "subscribe",
    body: rawRenewal,
    example: {
      renewal: "the renewal of the former one's answer",
      subscription: EXAMPLE_SUBSCRIPTION,
    },
    responses: { 200: { description: "It took the former one's place", schema: subscribed } },
    problems: [
      "invalid_request",
      "unauthenticated",
      "invalid_subscription",
      "endpoint_not_allowed",
      "subscription_removed",
      "not_found",
    ],
    async handle({ body, context }) {
      if (publicKey === undefined) throw pushNotConfigured();
      const given = renewalSchema.safeParse(body);
      if (!given.success) {
        throw new Problem("invalid_request", "Send renewal and subscription.", {
          errors: issuesOf(given.error),
        });
      }
      const renewal = renewals.read(given.data.renewal);
      if (renewal === undefined) throw new Problem("unauthenticated", "The renewal is not ours.");
      const subscription = await intake(given.data.subscription);
      const { userId, subscriptionId } = renewal;
      const madeLabel = deviceLabel(context.header("user-agent"));
      const stored = await subscriptions.renew(userId, subscriptionId, subscription, { madeLabel });
      if (stored === undefined) {
        throw new Problem("subscription_removed", "The former subscription is not there any more.");
      }
      return { status: 200, body: subscribedBody(renewals, userId, stored) };
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
