/** Reads what a push message carries; whatever arrives, there is something to show. */
import * as z from "zod/mini";

// zod's faster path needs eval, which a strict content security policy reports as a violation.
z.config({ jitless: true });

const payloadSchema = z.object({
  notification_id: z.string(),
  /** None where the notification has no place in a history; null is how servers before 1.4 say so. */
  replay_id: z.nullish(z.string()),
  title: z.string(),
  body: z.string(),
  url: z.optional(z.string()),
  icon: z.optional(z.string()),
  tag: z.optional(z.string()),
  dir: z.optional(z.enum(["ltr", "rtl", "auto"])),
  locale: z.optional(z.string()),
  actions: z.optional(
    z.array(z.object({ action: z.string(), title: z.string(), url: z.optional(z.string()) })),
  ),
  receipt: z.optional(z.string()),
});

export type PushPayload = z.infer<typeof payloadSchema>;

/** What a shown notification carries until it is clicked. */
const shownSchema = z.object({
  notification_id: z.string(),
  url: z.string(),
  action_urls: z.record(z.string(), z.string()),
  receipt: z.optional(z.string()),
});

export type ShownData = z.infer<typeof shownSchema>;

/** Browsers revoke the permission of a worker that gets a push and shows nothing. */
const FALLBACK: PushPayload = {
  notification_id: "",
  title: "New notification",
  body: "Open Schoolbell to read it.",
};

/** Chromium shows two actions, others fewer; the rest would be dropped unseen. */
const MAX_ACTIONS = 2;

export function readPayload(text: string | undefined): PushPayload {
  try {
    return z.safeParse(payloadSchema, JSON.parse(text ?? "null")).data ?? FALLBACK;
  } catch {
    return FALLBACK;
  }
}

/** Links lead nowhere but to our own origin, whatever a payload says. */
export function sameOriginUrl(url: string | undefined, origin: string): string {
  const home = `${origin}/`;
  const parsed = URL.parse(url ?? home, home);
  return parsed?.origin === origin ? parsed.href : home;
}

export function shownActions(payload: PushPayload): { action: string; title: string }[] {
  return (payload.actions ?? [])
    .slice(0, MAX_ACTIONS)
    .map(({ action, title }) => ({ action, title }));
}

export function shownData(payload: PushPayload, origin: string): ShownData {
  const actions = payload.actions ?? [];
  return {
    notification_id: payload.notification_id,
    url: sameOriginUrl(payload.url, origin),
    action_urls: Object.fromEntries(
      actions.map(({ action, url }) => [action, sameOriginUrl(url ?? payload.url, origin)]),
    ),
    ...(payload.receipt === undefined ? {} : { receipt: payload.receipt }),
  };
}

/** @returns undefined for a notification that this worker did not show. */
export function readShown(data: unknown): ShownData | undefined {
  return z.safeParse(shownSchema, data).data;
}
