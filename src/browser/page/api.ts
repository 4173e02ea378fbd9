/** Calls the REST API. A refusal is a value with words that can be shown. */
import * as z from "zod/mini";
import { CHANNEL_STATUSES, CHANNELS, REASONS, STATUSES } from "../../contract/vocabulary.ts";

export interface Refusal {
  readonly ok: false;
  /** 0 when the service did not answer at all. */
  readonly status: number;
  readonly message: string;
  /** What is wrong with which field. */
  readonly issues: readonly string[];
  readonly retryAfterMs: number | undefined;
}

export type Result<T> = { readonly ok: true; readonly value: T } | Refusal;

const problemSchema = z.object({
  title: z.optional(z.string()),
  detail: z.optional(z.string()),
  errors: z.optional(z.array(z.object({ path: z.string(), message: z.string() }))),
});

const tokenSchema = z.object({ token: z.string(), user_id: z.string(), expires_at: z.string() });

const detailSchema = z.object({
  // A reason that a newer server knows is shown as it is.
  reason: z.optional(z.union([z.enum(REASONS), z.string()])),
  at: z.optional(z.nullable(z.string())),
  confirmed_at: z.optional(z.nullable(z.string())),
});

const notificationSchema = z.object({
  notification_id: z.string(),
  status: z.enum(STATUSES),
  channels: z.record(z.enum(CHANNELS), z.enum(CHANNEL_STATUSES)),
  channel_details: z.optional(z.partialRecord(z.enum(CHANNELS), detailSchema)),
  timestamp: z.string(),
  websocket_connections: z.number(),
  replay_id: z.nullable(z.string()),
  timeline: z.optional(
    z.array(
      z.object({
        at: z.string(),
        channel: z.optional(z.nullable(z.enum(CHANNELS))),
        from: z.nullable(z.string()),
        to: z.string(),
        reason: z.optional(z.nullable(z.string())),
      }),
    ),
  ),
});

const subscribedSchema = z.object({ subscription_id: z.string(), renewal: z.string() });
const devicesSchema = z.object({
  subscriptions: z.array(
    z.object({
      id: z.string(),
      label: z.nullable(z.string()),
      push_service: z.string(),
      created_at: z.string(),
      last_seen_at: z.string(),
      expires_at: z.string(),
    }),
  ),
});
const ticketSchema = z.object({ ticket: z.string() });
const previewSchema = z.object({
  sms_when: z.string(),
  previews: z.array(
    z.object({
      locale: z.string(),
      dir: z.enum(["ltr", "rtl"]),
      title: z.string(),
      body: z.string(),
      public_title: z.string(),
      public_body: z.string(),
      url: z.string(),
      actions: z.array(z.object({ title: z.string() })),
      sms: z.object({
        text: z.string(),
        encoding: z.string(),
        segments: z.number(),
        characters: z.number(),
      }),
    }),
  ),
});
const vapidSchema = z.object({ public_key: z.string() });
const outboxSchema = z.object({
  in_use: z.boolean(),
  messages: z.array(
    z.object({ to: z.string(), text: z.string(), at: z.string(), notification_id: z.string() }),
  ),
});
const healthSchema = z.object({
  status: z.string(),
  timestamp: z.string(),
  version: z.string(),
  redis: z.string(),
  queue: z.string(),
  kafka: z.string(),
  services: z.record(z.string(), z.string()),
  open_breakers: z.record(z.string(), z.number()),
  push_reason: z.nullable(z.string()),
  outbox: z.boolean(),
  total_connections: z.number(),
  active_users: z.number(),
});
const anything = z.unknown();

export type NotificationView = z.infer<typeof notificationSchema>;
export type PreviewView = z.infer<typeof previewSchema>;
export type HealthView = z.infer<typeof healthSchema>;
export type Subscribed = z.infer<typeof subscribedSchema>;
export type Device = z.infer<typeof devicesSchema>["subscriptions"][number];
export type OutboxMessage = z.infer<typeof outboxSchema>["messages"][number];

const REQUEST_TIMEOUT_MS = 15_000;
const SECOND_MS = 1000;

interface Call {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call<T>(path: string, schema: z.ZodMiniType<T>, options: Call): Promise<Result<T>> {
  const headers = new Headers(options.headers);
  if (options.token !== undefined) headers.set("Authorization", `Bearer ${options.token}`);
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  try {
    const response = await fetch(path, {
      method: options.method ?? "GET",
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const value: unknown = text === "" ? undefined : parse(text);
    if (!response.ok) return refusal(response, value);
    const parsed = z.safeParse(schema, value);
    if (parsed.success) return { ok: true, value: parsed.data };
    return failure(response.status, "The service answered in a form this page does not know.");
  } catch {
    return failure(0, "The service does not answer. Is it running?");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure(status: number, message: string): Refusal {
  return { ok: false, status, message, issues: [], retryAfterMs: undefined };
}

function refusal(response: Response, value: unknown): Refusal {
  const problem = z.safeParse(problemSchema, value).data;
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return {
    ok: false,
    status: response.status,
    message: problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`,
    issues: (problem?.errors ?? []).map(({ path, message }) => `${path}: ${message}`),
    retryAfterMs: Number.isFinite(seconds) ? seconds * SECOND_MS : undefined,
  };
}

/** `POST /dev/token`: 404 in production, 403 from another machine. */
export function requestToken(userId: string): Promise<Result<z.infer<typeof tokenSchema>>> {
  return call("/dev/token", tokenSchema, { method: "POST", body: { user_id: userId } });
}

/** `POST /ws/ticket`: opens one socket, so that the token stands in no address. */
export function buyTicket(token: string): Promise<Result<z.infer<typeof ticketSchema>>> {
  return call("/ws/ticket", ticketSchema, { method: "POST", token });
}

/** `POST /notify`; the same key never sends twice. */
export function notify(
  token: string,
  request: unknown,
  idempotencyKey: string,
): Promise<Result<NotificationView>> {
  return call("/notify", notificationSchema, {
    method: "POST",
    token,
    body: request,
    headers: { "Idempotency-Key": idempotencyKey },
  });
}

export function getNotification(token: string, id: string): Promise<Result<NotificationView>> {
  return call(`/notifications/${encodeURIComponent(id)}`, notificationSchema, { token });
}

export function getVapidKey(): Promise<Result<z.infer<typeof vapidSchema>>> {
  return call("/push/vapid-public-key", vapidSchema, {});
}

/** `visit`: sent unasked when the page was opened; 410 if the person took it off the list since. */
export function saveSubscription(
  token: string,
  subscription: PushSubscriptionJSON & {
    readonly application_server_key?: string;
    readonly visit?: boolean;
  },
): Promise<Result<Subscribed>> {
  return call("/push/subscribe", subscribedSchema, { method: "POST", token, body: subscription });
}

/** The person's browsers that ring, the one seen last first. */
export function getDevices(token: string): Promise<Result<z.infer<typeof devicesSchema>>> {
  return call("/push/subscriptions", devicesSchema, { token });
}

export function removeDevice(token: string, id: string): Promise<Result<unknown>> {
  return call(`/push/subscriptions/${encodeURIComponent(id)}`, anything, {
    method: "DELETE",
    token,
  });
}

export function dropSubscription(token: string, endpoint: string): Promise<Result<unknown>> {
  return call("/push/subscribe", anything, { method: "DELETE", token, body: { endpoint } });
}

/** `POST /templates/{id}/preview`: what it would say in every language; nothing is sent. */
export function previewTemplate(
  token: string,
  templateId: string,
  body: unknown,
): Promise<Result<PreviewView>> {
  const path = `/templates/${encodeURIComponent(templateId)}/preview`;
  return call(path, previewSchema, { method: "POST", token, body });
}

/** `GET /health`: what works and what does not. */
export function getHealth(): Promise<Result<HealthView>> {
  return call("/health", healthSchema, {});
}

/** `GET /dev/outbox`: 404 in production, 403 from another machine. */
export function getOutbox(): Promise<Result<z.infer<typeof outboxSchema>>> {
  return call("/dev/outbox", outboxSchema, {});
}

/**
 * Whether `POST /dev/token` would answer here. Asked of the outbox, which is there exactly when
 * tokens are: trying the token itself would make one.
 */
export async function canSignInByName(): Promise<boolean> {
  const result = await getOutbox();
  return result.ok || (result.status !== 403 && result.status !== 404);
}
