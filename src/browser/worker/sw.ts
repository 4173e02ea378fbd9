/** The service worker: shows what is pushed, opens it when clicked, and reports both. */
import { readPayload, readShown, shownActions, shownData, type ShownData } from "./payload.ts";
import { renewSubscription } from "./renewal.ts";

declare const self: ServiceWorkerGlobalScope;

/** TypeScript's own type leaves out what not every browser has. */
interface ShownOptions extends NotificationOptions {
  actions: { action: string; title: string }[];
}

/** What open pages are told, so that they can show it too. */
type PageMessage =
  | { readonly type: "push_shown"; readonly notification_id: string }
  | {
      readonly type: "push_clicked";
      readonly notification_id: string;
      readonly url: string;
      readonly action: string;
    }
  | { readonly type: "push_subscription_changed" };

async function show(text: string | undefined): Promise<void> {
  const payload = readPayload(text);
  const data = shownData(payload, self.location.origin);
  const options: ShownOptions = {
    body: payload.body,
    icon: payload.icon ?? "/icon.png",
    dir: payload.dir ?? "auto",
    lang: payload.locale ?? "",
    tag: payload.tag ?? payload.notification_id,
    actions: shownActions(payload),
    data,
  };
  await self.registration.showNotification(payload.title, options);
  await tellPages({ type: "push_shown", notification_id: payload.notification_id });
  await sendReceipt(data.receipt, "shown");
}

async function clicked(shown: ShownData, action: string): Promise<void> {
  const url = shown.action_urls[action] ?? shown.url;
  const page = await findPage(url);
  if (page === undefined) {
    await self.clients.openWindow(url);
  } else {
    // Some browsers refuse the focus when the click was long ago; the page is told all the same.
    await page.focus().catch(() => undefined);
    const { notification_id } = shown;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's client takes none
    page.postMessage({ type: "push_clicked", notification_id, url, action } satisfies PageMessage);
  }
  await sendReceipt(shown.receipt, "clicked");
}

/** A tab that already shows the link, else one with the start page, which is told what was clicked. */
async function findPage(url: string): Promise<WindowClient | undefined> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return (
    pages.find((page) => page.url === url) ??
    pages.find((page) => new URL(page.url).pathname === "/")
  );
}

async function tellPages(message: PageMessage): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's client takes none
    page.postMessage(message);
  }
}

/** Lost when offline: the notification itself was shown, which is what matters to the person. */
async function sendReceipt(receipt: string | undefined, event: "shown" | "clicked"): Promise<void> {
  if (receipt === undefined) return;
  await fetch("/receipts", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ receipt, event }),
  }).catch(() => undefined);
}

// A new version takes over at once: it holds no state that an older page could miss.
self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(event.data?.text())));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const shown = readShown(event.notification.data);
  if (shown !== undefined) event.waitUntil(clicked(shown, event.action));
});

// This event is missing from TypeScript's library, though not from browsers.
self.addEventListener("pushsubscriptionchange", (event) => {
  const renewed = renewSubscription(event).then(() =>
    tellPages({ type: "push_subscription_changed" }),
  );
  (event as ExtendableEvent).waitUntil(renewed);
});
