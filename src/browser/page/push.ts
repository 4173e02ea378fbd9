/** Turns browser notifications on and off, and says plainly why when that does not work. */
import { dropSubscription, getVapidKey, saveSubscription } from "./api.ts";
import { forgetTold, isFresh, lastTold, rememberTold } from "./push-told.ts";

/** Who uses this tab. */
export interface Who {
  readonly userId: string;
  readonly token: string;
}

export type PushState =
  | { readonly kind: "on" }
  | { readonly kind: "off" }
  | { readonly kind: "trouble"; readonly message: string }
  /** Nothing that the person could do here would help. */
  | { readonly kind: "unavailable"; readonly message: string };

const WORKER_URL = "/sw.js";

/** Subscribing takes a second or two where it works. */
const SUBSCRIBE_TIMEOUT_MS = 10_000;

const STILL_LIVE = "Messages still arrive in this open tab.";

function support(): string | undefined {
  if (!window.isSecureContext) return "Browsers allow notifications only over https or localhost.";
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    return "This browser has no push notifications.";
  }
  return undefined;
}

/** Uint8Array of an unpadded base64url key. */
function keyBytes(key: string): Uint8Array<ArrayBuffer> {
  const base64 = key.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function sameBytes(a: ArrayBuffer | null, b: Uint8Array): boolean {
  const left = new Uint8Array(a ?? new ArrayBuffer(0));
  return left.length === b.length && left.every((byte, index) => byte === b[index]);
}

/** Which of the server's keys the browser subscribed with: it may be one that was changed since. */
function statedKey({ options }: PushSubscription): { application_server_key?: string } {
  if (options.applicationServerKey === null) return {};
  const bytes = new Uint8Array(options.applicationServerKey);
  const base64 = btoa(String.fromCharCode(...bytes));
  const key = base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return { application_server_key: key };
}

async function existingSubscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/**
 * When the page opens: a browser that has a subscription gives it to whoever uses it now, since on
 * shared computers that changes, and says that it is still there. Where the permission was taken
 * back, or the subscription has vanished, the server is told.
 * @param known whether the server has it; false sends it at once, whenever it was last sent
 */
export async function adoptSubscription(who: Who, known = true): Promise<PushState> {
  const missing = support();
  if (missing !== undefined) return { kind: "unavailable", message: `${missing} ${STILL_LIVE}` };
  const subscription = await existingSubscription();
  if (subscription === null || Notification.permission !== "granted") {
    await withdraw(who, subscription);
    return { kind: "off" };
  }
  const vapid = await getVapidKey();
  if (vapid.ok && !isMadeWith(subscription, keyBytes(vapid.value.public_key))) {
    return await resubscribe(who, subscription, keyBytes(vapid.value.public_key));
  }
  if (known && isFresh(lastTold(), who.userId, subscription)) return { kind: "on" };
  return await save(who, subscription, true);
}

/** What is left where nothing can be shown any more. */
async function withdraw(who: Who, subscription: PushSubscription | null): Promise<void> {
  const endpoint = subscription?.endpoint ?? lastTold()?.endpoint;
  if (endpoint === undefined) return;
  // Not answered: the next page that opens says it again.
  if (!(await dropSubscription(who.token, endpoint)).ok) return;
  await subscription?.unsubscribe();
  await forgetTold();
}

const isMadeWith = (subscription: PushSubscription, key: Uint8Array): boolean =>
  sameBytes(subscription.options.applicationServerKey, key);

/** The server has a new key, and signs for this browser with the old one only until it comes by. */
async function resubscribe(
  who: Who,
  old: PushSubscription,
  key: Uint8Array<ArrayBuffer>,
): Promise<PushState> {
  try {
    // One that its person took off the list is known there by what it had, and stays off.
    const told = await tell(who, old, true);
    if (!told.ok && told.status === GONE) return await giveUp(old);
    const registration = await navigator.serviceWorker.ready;
    const state = await save(who, await subscribe(registration, key), true);
    // Else the server would find out at its next push that nobody is there any more.
    if (state.kind === "on") await dropSubscription(who.token, old.endpoint);
    return state;
  } catch (error) {
    return trouble(subscribeTrouble(error));
  }
}

/** Asks for permission, starts the service worker, subscribes, and tells the service. */
export async function turnOn(who: Who): Promise<PushState> {
  const missing = support();
  if (missing !== undefined) return { kind: "unavailable", message: `${missing} ${STILL_LIVE}` };
  const permission = await Notification.requestPermission();
  if (permission === "denied") {
    return trouble(
      "The browser blocks notifications from this page. Allow them in its site settings, then try again.",
    );
  }
  if (permission !== "granted") return trouble("The browser's question was closed unanswered.");
  const vapid = await getVapidKey();
  if (!vapid.ok) return trouble(`Push is not set up here: ${vapid.message}`);
  try {
    await navigator.serviceWorker.register(WORKER_URL, { scope: "/" });
    const registration = await navigator.serviceWorker.ready;
    return await save(who, await subscribe(registration, keyBytes(vapid.value.public_key)), false);
  } catch (error) {
    return trouble(subscribeTrouble(error));
  }
}

/** A subscription made with another server key would be of no use; browsers refuse to change it. */
async function subscribe(
  registration: ServiceWorkerRegistration,
  key: Uint8Array<ArrayBuffer>,
): Promise<PushSubscription> {
  const existing = await registration.pushManager.getSubscription();
  if (existing !== null) {
    if (isMadeWith(existing, key)) return existing;
    await existing.unsubscribe();
  }
  const wanted = registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  });
  return inTime(wanted);
}

/** Without a network, Chromium neither fails nor succeeds for minutes. */
async function inTime<T>(wanted: Promise<T>): Promise<T> {
  let timer: number | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = window.setTimeout(
      () => reject(new DOMException("the push service did not answer", "TimeoutError")),
      SUBSCRIBE_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    window.clearTimeout(timer);
  }
}

const REMOVED = "This browser was taken off your list of devices. Turn them on to add it again.";
/** What the server says of a subscription that its person removed. */
const GONE = 410;

const tell = (who: Who, subscription: PushSubscription, visit: boolean) =>
  saveSubscription(who.token, { ...subscription.toJSON(), ...statedKey(subscription), visit });

async function save(who: Who, subscription: PushSubscription, visit: boolean): Promise<PushState> {
  const saved = await tell(who, subscription, visit);
  if (saved.ok) {
    await rememberTold(who.userId, subscription, saved.value);
    return { kind: "on" };
  }
  if (visit && saved.status === GONE) return await giveUp(subscription);
  return trouble(`The service did not take it: ${saved.message}`);
}

async function giveUp(subscription: PushSubscription): Promise<PushState> {
  await subscription.unsubscribe();
  await forgetTold();
  return trouble(REMOVED);
}

function trouble(message: string): PushState {
  return { kind: "trouble", message: `${message} ${STILL_LIVE}` };
}

function subscribeTrouble(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "AbortError":
    case "TimeoutError":
      return "The browser could not reach its push service. It may be offline, or built without one.";
    case "NotAllowedError":
      return "The browser does not allow notifications here.";
    default:
      return `The browser could not turn them on (${name || "no reason given"}).`;
  }
}

/** Also at sign-out: what comes for one person must not show up for the next. */
export async function turnOff(who: Who): Promise<PushState> {
  if (support() !== undefined) return { kind: "off" };
  const subscription = await existingSubscription();
  const told = lastTold();
  const endpoint = subscription?.endpoint ?? told?.endpoint;
  if (endpoint !== undefined) await dropSubscription(who.token, endpoint);
  // Somebody else has signed in here since, in another tab: it rings for them now.
  if (told !== undefined && told.userId !== who.userId) return { kind: "off" };
  await subscription?.unsubscribe();
  // Also where the browser has none any more: its worker would renew it for who has gone.
  await forgetTold();
  return { kind: "off" };
}

/** What stands on the screen was for who has signed out, and its buttons would act for them. */
export async function clearScreen(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.getRegistration("/");
  for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
}
