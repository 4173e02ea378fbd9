/** The service worker: shows what is pushed, does what its buttons say, and reports all of it. */
import { MARK_READ, REMIND_LATER, SNOOZE_MINUTES } from "../../contract/push-receipt.ts";
import { readMemory, unsentReceipts } from "./database.ts";
import { findPage, readPageMessage, tell, tellPages } from "./pages.ts";
import {
  readPayload,
  readShown,
  ringsAgain,
  serviceUrl,
  shownActions,
  shownData,
  type ShownData,
} from "./payload.ts";
import { createReceiptOutbox, type Receipt, type TakenOff } from "./receipt-outbox.ts";
import { renewSubscription } from "./renewal.ts";

declare const self: ServiceWorkerGlobalScope;

interface Action {
  readonly action: string;
  readonly title: string;
}

/** TypeScript's own types leave out what not every browser has. */
interface ShownOptions extends NotificationOptions {
  readonly actions?: readonly Action[];
  readonly renotify?: boolean;
}
interface ShownNotification extends Notification {
  readonly actions?: readonly Action[];
}
interface Registration extends ServiceWorkerRegistration {
  readonly sync?: { register(tag: string): Promise<void> };
}
declare const Notification: { readonly maxActions?: number };

/** A worker that waits for longer may be stopped, and could not keep the receipt any more. */
const POST_TIMEOUT_MS = 10_000;

const outbox = createReceiptOutbox({
  store: unsentReceipts,
  post,
  putBack: ({ title, options }) => self.registration.showNotification(title, options),
  now: () => Date.now(),
});
const endpoint = serviceUrl(self.location.href, "receipts");

async function post(receipt: Receipt): Promise<number | undefined> {
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(receipt),
      signal: AbortSignal.timeout(POST_TIMEOUT_MS),
    });
    return response.status;
  } catch {
    return undefined;
  }
}

async function report(receipt: Receipt, takenOff?: TakenOff): Promise<void> {
  const result = await outbox.send(receipt, takenOff);
  if (result === "kept") await askForSync();
  // Whoever takes one may take those that were kept before.
  if (result === "taken") await outbox.flush();
}

/** Where the browser can, it wakes the worker as soon as it is online again. */
async function askForSync(): Promise<void> {
  const { sync }: Registration = self.registration;
  await sync?.register("receipts").catch(() => undefined);
}

async function show(text: string | undefined): Promise<void> {
  const payload = readPayload(text, self.navigator.languages);
  const data = shownData(payload, self.location.origin);
  const tag = payload.tag ?? payload.notification_id;
  const [replaced] = tag === "" ? [] : await shownWith({ tag });
  const options: ShownOptions = {
    body: payload.body,
    icon: payload.icon ?? "/icon.png",
    dir: payload.dir ?? "auto",
    lang: payload.locale ?? "",
    tag,
    renotify: replaced !== undefined && ringsAgain(payload, replaced.data),
    actions: shownActions(payload, Notification.maxActions),
    data,
  };
  // A browser that takes offence at an icon or a button must still show what it is about.
  await self.registration
    .showNotification(payload.title, options)
    .catch(() => self.registration.showNotification(payload.title, { body: payload.body, data }));
  await tellPages({ type: "push_shown", notification_id: payload.notification_id });
  if (data.receipt !== undefined) await report({ receipt: data.receipt, event: "shown" });
}

async function shownWith(filter?: { tag: string }): Promise<readonly ShownNotification[]> {
  return await self.registration.getNotifications(filter).catch(() => []);
}

async function openPage(shown: ShownData, action: string): Promise<void> {
  const url = shown.action_urls[action] ?? shown.url;
  const page = await findPage(url);
  if (page === undefined) {
    await self.clients.openWindow(url);
  } else {
    // Some browsers refuse the focus when the click was long ago; the page is told all the same.
    await page.focus().catch(() => undefined);
    tell(page, { type: "push_clicked", notification_id: shown.notification_id, url, action });
  }
  if (shown.receipt !== undefined) await report({ receipt: shown.receipt, event: "clicked" });
}

async function markRead({ notification_id, receipt }: ShownData): Promise<void> {
  // For pages that are opened later.
  await readMemory.add(notification_id).catch(() => undefined);
  await tellPages({ type: "push_read", notification_ids: [notification_id] });
  if (receipt !== undefined) await report({ receipt, event: "read" });
}

/** What cannot be put off is put back, without that button: it must not just vanish. */
async function remindLater(shown: ShownData, notification: ShownNotification): Promise<void> {
  const { title, body, icon, dir, lang, tag, actions = [] } = notification;
  const others = actions
    .filter(({ action }) => action !== REMIND_LATER)
    .map((each) => ({ action: each.action, title: each.title }));
  const options = { body, icon, dir, lang, tag, silent: true, data: shown, actions: others };
  const { receipt } = shown;
  if (receipt === undefined) await self.registration.showNotification(title, options);
  else {
    const asked = { receipt, event: "snoozed", minutes: SNOOZE_MINUTES } as const;
    await report(asked, { title, options });
  }
}

async function clicked(notification: ShownNotification, action: string): Promise<void> {
  const shown = readShown(notification.data);
  if (shown === undefined) return;
  if (action === MARK_READ) await markRead(shown);
  else if (action === REMIND_LATER) await remindLater(shown, notification);
  else await openPage(shown, action);
}

async function closeRead(notificationIds: readonly string[]): Promise<void> {
  for (const notification of await shownWith()) {
    const id = readShown(notification.data)?.notification_id;
    if (id !== undefined && notificationIds.includes(id)) notification.close();
  }
}

async function hear(event: ExtendableMessageEvent): Promise<void> {
  const message = readPageMessage(event.data);
  if (message?.type === "notification_read") await closeRead(message.notification_ids);
  if (message?.type === "which_were_read" && event.source instanceof WindowClient) {
    const notification_ids = await readMemory.all().catch(() => []);
    if (notification_ids.length > 0) tell(event.source, { type: "push_read", notification_ids });
  }
}

async function activate(): Promise<void> {
  await self.clients.claim();
  await outbox.flush();
}

/** Rejects while something is left, so that the browser tries again. */
async function sync(): Promise<void> {
  if (!(await outbox.flush())) throw new Error("there are receipts yet to be sent");
}

// A new version takes over at once: it holds no state that an older page could miss.
self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

self.addEventListener("push", (event) => event.waitUntil(show(event.data?.text())));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clicked(event.notification, event.action));
});

self.addEventListener("message", (event) => event.waitUntil(hear(event)));

// These events are missing from TypeScript's library, though not from browsers.
self.addEventListener("sync", (event) => (event as ExtendableEvent).waitUntil(sync()));

self.addEventListener("pushsubscriptionchange", (event) => {
  const renewed = renewSubscription(event).then(() =>
    tellPages({ type: "push_subscription_changed" }),
  );
  (event as ExtendableEvent).waitUntil(renewed);
});
