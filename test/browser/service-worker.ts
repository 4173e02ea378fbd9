/** Reaches into the service worker of a page: delivers pushes, reads what is shown, clicks it. */
import type { BrowserContext, CDPSession, Page, Worker } from "playwright-core";

interface ShownNotification {
  readonly title: string;
  readonly body: string;
  readonly dir: string;
  readonly lang: string;
  readonly tag: string;
  readonly icon: string;
  readonly actions: readonly { readonly action: string; readonly title: string }[];
  /** Whether it made a noise although it took the place of another. */
  readonly renotify: boolean;
  readonly silent: boolean;
}

export interface ServiceWorkerHandle {
  /** As the browser's push service would, with the decrypted payload. */
  push(payload: string): Promise<void>;
  shown(): Promise<ShownNotification[]>;
  /** As the browser does when it is online again and was asked to tell. */
  sync(tag: string): Promise<void>;
  /** How many tabs of ours the worker knows; one that was left stays known for a moment. */
  openTabs(): Promise<number>;
  /**
   * Clicks the notification with this tag and resolves when the worker is done. The links it
   * opened are returned instead of opened: browsers open windows only for clicks of a person.
   */
  click(tag: string, action?: string): Promise<string[]>;
}

/** @param page a page whose service worker is registered. */
export async function reachServiceWorker(
  context: BrowserContext,
  page: Page,
): Promise<ServiceWorkerHandle> {
  const session = await context.newCDPSession(page);
  const registrationId = await findRegistration(session);
  const worker = await workerOf(context);
  const origin = new URL(page.url()).origin;
  return {
    async push(payload) {
      await session.send("ServiceWorker.deliverPushMessage", {
        origin,
        registrationId,
        data: payload,
      });
    },
    async sync(tag) {
      await session.send("ServiceWorker.dispatchSyncEvent", {
        origin,
        registrationId,
        tag,
        lastChance: false,
      });
    },
    // Expressions are text because they are typed by the browser, not by Node.
    async shown() {
      return await worker.evaluate<ShownNotification[]>(`
        self.registration.getNotifications().then((all) => all.map(
          ({ title, body, dir, lang, tag, icon, actions, renotify, silent }) =>
            ({ title, body, dir, lang, tag, icon, actions, renotify, silent: silent === true })))`);
    },
    async openTabs() {
      return await worker.evaluate<number>(`
        self.clients.matchAll({ type: "window", includeUncontrolled: true })
          .then((tabs) => tabs.length)`);
    },
    async click(tag, action = "") {
      return await worker.evaluate<string[]>(`(async () => {
        const opened = [];
        self.clients.openWindow = async (url) => { opened.push(url); return null; };
        const [notification] = await self.registration.getNotifications({ tag: ${JSON.stringify(tag)} });
        const event = new NotificationEvent("notificationclick",
          { notification, action: ${JSON.stringify(action)} });
        let done;
        event.waitUntil = (work) => { done = work; };
        self.dispatchEvent(event);
        await done;
        return opened;
      })()`);
    },
  };
}

async function findRegistration(session: CDPSession): Promise<string> {
  const found = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [registration] = registrations;
      if (registration !== undefined) resolve(registration.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  return await found;
}

async function workerOf(context: BrowserContext): Promise<Worker> {
  const [running] = context.serviceWorkers();
  return running ?? (await context.waitForEvent("serviceworker"));
}
