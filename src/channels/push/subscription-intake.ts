/** What must be true of a subscription that a browser hands in, whichever way it comes. */
import { issuesOf } from "../../platform/problem-issues.ts";
import { Problem } from "../../platform/problems.ts";
import type { EndpointPolicy, EndpointRefusal } from "./endpoint-policy.ts";
import { subscriptionSchema, type PushSubscription } from "./subscription.ts";
import type { VapidKeys } from "./vapid-keys.ts";

/** Which VAPID key a subscription was made with, as far as its browser said. */
export interface SubscribedWith {
  readonly keyId: string;
  /** The browser said so; else it is the current key, unless more is known of this endpoint. */
  readonly stated: boolean;
}

export interface AcceptedSubscription extends Pick<PushSubscription, "endpoint" | "keys"> {
  readonly vapid: SubscribedWith;
  /** Epoch milliseconds; null where the browser names no end. */
  readonly expirationTime: number | null;
}

/**
 * @throws Problem `invalid_subscription` with an entry per wrong field, or `endpoint_not_allowed`;
 * `not_found` where push is not configured.
 */
export type SubscriptionIntake = (body: unknown) => Promise<AcceptedSubscription>;

export interface SubscriptionIntakeOptions {
  readonly policy: EndpointPolicy;
  /** Undefined where push is not configured: then there is nothing to subscribe with. */
  readonly keys: Pick<VapidKeys, "current" | "ofPublicKey"> | undefined;
  /** Whether a host is known to lead to a closed address (`createLookAhead`). */
  readonly leadsInward: (hostname: string) => Promise<boolean>;
  readonly now: () => number;
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

export function createSubscriptionIntake(options: SubscriptionIntakeOptions): SubscriptionIntake {
  const { policy, keys, leadsInward, now } = options;

  async function assertAllowed(endpoint: string): Promise<void> {
    const verdict = policy.judge(endpoint);
    if (!verdict.allowed) throw notAllowed(verdict.reason);
    // The operator named a trusted one's very origin, so its address is not asked for.
    if (!verdict.trusted && (await leadsInward(new URL(endpoint).hostname))) {
      throw notAllowed("closed_address");
    }
  }

  return async (body) => {
    if (keys === undefined) throw pushNotConfigured();
    const { endpoint, keys: secrets, expirationTime, ...rest } = parseSubscription(body);
    if (typeof expirationTime === "number" && expirationTime <= now()) throw ended();
    const stated = rest.application_server_key;
    const key = stated === undefined ? keys.current : keys.ofPublicKey(stated);
    if (key === undefined) throw unknownKey();
    await assertAllowed(endpoint);
    return {
      endpoint,
      keys: secrets,
      expirationTime: expirationTime ?? null,
      vapid: { keyId: key.id, stated: stated !== undefined },
    };
  };
}

/** What every route says that is of no use without push. */
export function pushNotConfigured(): Problem {
  return new Problem("not_found", "Push is not configured on this installation.");
}

/** @throws Problem `invalid_subscription` with an entry per wrong field. */
function parseSubscription(body: unknown): PushSubscription {
  const result = subscriptionSchema.safeParse(body);
  if (result.success) return result.data;
  throw new Problem("invalid_subscription", "Send the browser's PushSubscription as it is.", {
    errors: issuesOf(result.error),
  });
}

function notAllowed(reason: EndpointRefusal): Problem {
  return new Problem("endpoint_not_allowed", "This push service is not one we send to.", {
    errors: [{ path: "endpoint", message: REFUSALS[reason] }],
  });
}

function ended(): Problem {
  return new Problem("invalid_subscription", "Unsubscribe, and subscribe again.", {
    errors: [{ path: "expirationTime", message: "has passed" }],
  });
}

function unknownKey(): Problem {
  return new Problem("invalid_subscription", "Unsubscribe, and subscribe with the present key.", {
    errors: [
      {
        path: "application_server_key",
        message: "is no key of this installation; GET /push/vapid-public-key tells the present one",
      },
    ],
  });
}
