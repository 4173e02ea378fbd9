/** Keeps the page and the service worker of one mind about what has been read. */
import * as z from "zod/mini";

const readSchema = z.object({
  type: z.literal("push_read"),
  notification_ids: z.array(z.string()),
});

/** What was read here need not stand on the screen any longer. */
export function tellWorkerRead(notificationIds: readonly string[]): void {
  void post({ type: "notification_read", notification_ids: notificationIds });
}

/**
 * Hears of notifications that were marked as read without the page: by a button on one, now or before
 * the page was opened.
 */
export function onReadByWorker(onRead: (notificationIds: readonly string[]) => void): void {
  // Absent on insecure origins.
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", (event: MessageEvent<unknown>) => {
    const message = z.safeParse(readSchema, event.data).data;
    if (message !== undefined) onRead(message.notification_ids);
  });
}

/** The answer comes to `onReadByWorker`. */
export function askWorkerWhatWasRead(): void {
  void post({ type: "which_were_read" });
}

async function post(message: object): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.getRegistration("/").catch(() => undefined);
  registration?.active?.postMessage(message);
}
