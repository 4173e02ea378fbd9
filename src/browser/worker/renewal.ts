/**
 * The browser put another subscription in the place of the one it had, perhaps weeks after a page was
 * last open. It is handed in with the leave that the page kept; what fails is left to the next page.
 */
import * as z from "zod/mini";
import { serviceUrl } from "./payload.ts";
import { keepRenewal, readRenewal } from "./renewal-memory.ts";

declare const self: ServiceWorkerGlobalScope;

/** Missing from TypeScript's library. Browsers fill in one of the two, both or none. */
interface SubscriptionChange extends Event {
  readonly oldSubscription?: PushSubscription | null;
  readonly newSubscription?: PushSubscription | null;
}

const answerSchema = z.object({ renewal: z.string() });
const keySchema = z.object({ public_key: z.string() });

/** A worker is ended when it takes minutes. */
const REQUEST_TIMEOUT_MS = 10_000;
const PAUSES_MS = [1_000, 5_000];

/** What a browser subscribes with; the server's present key, so that a change of keys is met too. */
async function serverKey(
  former: PushSubscription | null | undefined,
): Promise<BufferSource | string> {
  try {
    const response = await fetch(serviceUrl(self.location.href, "push/vapid-public-key"), {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return z.parse(keySchema, await response.json()).public_key;
  } catch (error) {
    const key = former?.options.applicationServerKey;
    if (key === undefined || key === null) throw error;
    return key;
  }
}

async function subscriptionNow(change: SubscriptionChange): Promise<PushSubscription> {
  const { pushManager } = self.registration;
  const present = change.newSubscription ?? (await pushManager.getSubscription());
  if (present !== null && present.endpoint !== change.oldSubscription?.endpoint) return present;
  const applicationServerKey = await serverKey(change.oldSubscription);
  return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
}

function statedKey({ options }: PushSubscription): { application_server_key?: string } {
  if (options.applicationServerKey === null) return {};
  const text = String.fromCharCode(...new Uint8Array(options.applicationServerKey));
  const key = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return { application_server_key: key };
}

/** @returns undefined when asking again may help. */
async function post(body: string): Promise<Response | undefined> {
  const response = await fetch(serviceUrl(self.location.href, "push/renew"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  }).catch(() => undefined);
  const mayHelp = response === undefined || response.status === 429 || response.status >= 500;
  return mayHelp ? undefined : response;
}

async function handIn(renewal: string, subscription: PushSubscription): Promise<void> {
  const body = JSON.stringify({
    renewal,
    subscription: { ...subscription.toJSON(), ...statedKey(subscription) },
  });
  let response = await post(body);
  for (const pauseMs of PAUSES_MS) {
    if (response !== undefined) break;
    await new Promise((resolve) => void setTimeout(resolve, pauseMs));
    response = await post(body);
  }
  if (response?.ok !== true) return;
  await keepRenewal(z.parse(answerSchema, await response.json()).renewal);
}

/** Resolves in any case: pages, where there are any, look themselves. */
export async function renewSubscription(change: SubscriptionChange): Promise<void> {
  try {
    const renewal = await readRenewal();
    const subscription = await subscriptionNow(change);
    if (renewal !== undefined) await handIn(renewal, subscription);
  } catch {
    // No permission any more, or no network: the next page that opens finds out which.
  }
}
