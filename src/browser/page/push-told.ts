/** What the server was last told of this browser's subscription, so that not every page tells it again. */
import * as z from "zod/mini";
import { keepRenewal } from "../worker/renewal-memory.ts";

const toldSchema = z.object({
  userId: z.string(),
  endpoint: z.string(),
  /** Public key of the subscription: a browser may change it and keep the endpoint. */
  p256dh: z.string(),
  subscriptionId: z.string(),
  /** Epoch milliseconds. */
  at: z.number(),
});

export type Told = z.infer<typeof toldSchema>;

/** Of the browser, as the subscription is, whoever uses it. */
const KEY = "schoolbell.push";

const DAY_MS = 86_400_000;

export function lastTold(): Told | undefined {
  try {
    const text = window.localStorage.getItem(KEY);
    return text === null ? undefined : z.safeParse(toldSchema, JSON.parse(text)).data;
  } catch {
    // Storage may be forbidden; then every page tells it.
    return undefined;
  }
}

function remember(told: Told | undefined): void {
  try {
    if (told === undefined) window.localStorage.removeItem(KEY);
    else window.localStorage.setItem(KEY, JSON.stringify(told));
  } catch {
    // As above.
  }
}

const keyOf = (subscription: PushSubscription): string =>
  subscription.toJSON().keys?.["p256dh"] ?? "";

/** Said within a day, of the same subscription, for the same person. A clock set back counts as old. */
export function isFresh(
  told: Told | undefined,
  userId: string,
  subscription: PushSubscription,
  now = Date.now(),
): boolean {
  return (
    told !== undefined &&
    told.userId === userId &&
    told.endpoint === subscription.endpoint &&
    told.p256dh === keyOf(subscription) &&
    now >= told.at &&
    now - told.at < DAY_MS
  );
}

/** Also hands the service worker what it needs to renew the subscription without a page. */
export async function rememberTold(
  userId: string,
  subscription: PushSubscription,
  answer: { readonly subscription_id: string; readonly renewal: string },
): Promise<void> {
  const { endpoint } = subscription;
  remember({
    userId,
    endpoint,
    p256dh: keyOf(subscription),
    subscriptionId: answer.subscription_id,
    at: Date.now(),
  });
  await keepRenewal(answer.renewal);
}

export async function forgetTold(): Promise<void> {
  remember(undefined);
  await keepRenewal(undefined);
}
