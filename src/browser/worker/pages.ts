/** What the service worker and open pages tell each other. */
import * as z from "zod/mini";

declare const self: ServiceWorkerGlobalScope;

/** What open pages are told, so that they can show it too. */
export type PageMessage =
  | { readonly type: "push_shown"; readonly notification_id: string }
  | {
      readonly type: "push_clicked";
      readonly notification_id: string;
      readonly url: string;
      readonly action: string;
    }
  | { readonly type: "push_read"; readonly notification_ids: readonly string[] }
  | { readonly type: "push_subscription_changed" };

/** As many as a page shows. */
const MAX_IDS = 1_000;

/** What pages tell the worker: these were read there; or they ask what was read without them. */
const fromPageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("notification_read"),
    notification_ids: z.array(z.string()).check(z.maxLength(MAX_IDS)),
  }),
  z.object({ type: z.literal("which_were_read") }),
]);

export type FromPage = z.infer<typeof fromPageSchema>;

/** @returns undefined for messages of others. */
export function readPageMessage(data: unknown): FromPage | undefined {
  return z.safeParse(fromPageSchema, data).data;
}

export async function openPages(): Promise<readonly WindowClient[]> {
  return await self.clients.matchAll({ type: "window", includeUncontrolled: true });
}

/** A tab that already shows the link, else one with the start page, which is told what was clicked. */
export async function findPage(url: string): Promise<WindowClient | undefined> {
  const pages = await openPages();
  return (
    pages.find((page) => page.url === url) ??
    pages.find((page) => new URL(page.url).pathname === "/")
  );
}

export function tell(page: Pick<WindowClient, "postMessage">, message: PageMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's client takes none
  page.postMessage(message);
}

export async function tellPages(message: PageMessage): Promise<void> {
  for (const page of await openPages()) tell(page, message);
}
