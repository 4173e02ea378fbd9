/** Reads what a push message carries; whatever arrives, there is something to show. */
import * as z from "zod/mini";
import { PRIORITIES, type Priority } from "../../contract/vocabulary.ts";
import { fallbackText } from "./fallback-texts.ts";

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
  // A priority that a newer server knows rings as a common one.
  priority: z.optional(z.union([z.enum(PRIORITIES), z.string()])),
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

/** What a browser shows that does not say how many it does. */
const USUAL_ACTIONS = 2;

/** These are worth the noise a second time; others take an older one's place in silence. */
const RINGS_AGAIN: readonly string[] = ["critical", "immediate"] satisfies Priority[];

/** @param languages of the browser, for what is shown in place of a payload that cannot be read. */
export function readPayload(
  text: string | undefined,
  languages: readonly string[] = [],
): PushPayload {
  const read = z.safeParse(payloadSchema, parseJson(text ?? "")).data;
  // Browsers revoke the permission of a worker that gets a push and shows nothing.
  return read ?? { notification_id: "", ...fallbackText(languages) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Links lead nowhere but to our own origin, whatever a payload says. */
export function sameOriginUrl(url: string | undefined, origin: string): string {
  const home = `${origin}/`;
  const parsed = URL.parse(url ?? home, home);
  // Not by its origin: a blob: address has that of whoever made it.
  return parsed?.href.startsWith(home) === true ? parsed.href : home;
}

/** The first ones: they come in the order of their use. @param max what this browser shows. */
export function shownActions(
  payload: PushPayload,
  max = USUAL_ACTIONS,
): { action: string; title: string }[] {
  return (payload.actions ?? []).slice(0, max).map(({ action, title }) => ({ action, title }));
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

/**
 * Whether it rings although it takes an older one's place. The same one, sent again because its
 * sender does not know that it came, never does.
 * @param replaced what the one on screen carries.
 */
export function ringsAgain(payload: PushPayload, replaced: unknown): boolean {
  if (!RINGS_AGAIN.includes(payload.priority ?? "")) return false;
  return readShown(replaced)?.notification_id !== payload.notification_id;
}

/**
 * Where the service is: beside the worker's script, or where the page that registered it says with
 * `?service=`, for an application that serves a worker of its own.
 */
export function serviceUrl(workerUrl: string, path: string): string {
  const service = new URL(workerUrl).searchParams.get("service") ?? "";
  const base = URL.parse(service.replace(/\/*$/, "/"));
  return new URL(path, base?.protocol.startsWith("http") === true ? base : workerUrl).href;
}
