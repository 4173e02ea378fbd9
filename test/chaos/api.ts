/** What the tests ask of the running product: its HTTP interface, as a service and operator use it. */
import { z } from "zod";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { analyticsSchema, type AnalyticsReport } from "../../src/tracking/analytics.ts";
import { notificationDetailSchema, type NotificationDetail } from "../../src/tracking/view.ts";
import { CHILD_SECRET } from "./environment.ts";

const SENDER_SCOPES = ["notify:send", "notify:send:critical", "analytics:read", "admin"];
const TOKEN_SECONDS = 3_600;

export interface Submitted {
  readonly id: string;
  /** The product says that it had this request before. */
  readonly replayed: boolean;
}

const signer = createTokenSigner(CHILD_SECRET);
const acceptedSchema = z.object({ notification_id: z.string() });
const auditSchema = z.object({ entries: z.array(z.object({ action: z.string() })) });

export async function tokenOf(userId: string, scopes: readonly string[] = []): Promise<string> {
  return await signer.sign({ userId, scopes, ttlSeconds: TOKEN_SECONDS });
}

async function call(
  url: string,
  options: { as?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> {
  const token = options.as ?? (await tokenOf("a-service", SENDER_SCOPES));
  return await fetch(url, {
    method: options.body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
}

async function expectOk(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return await response.json();
}

/**
 * Sends a notification.
 * @returns undefined where the caller cannot know and has to ask again: no answer, or 503.
 */
export async function submit(
  baseUrl: string,
  body: object,
  headers: Record<string, string>,
): Promise<Submitted | undefined> {
  let response: Response;
  try {
    response = await call(`${baseUrl}/notify`, { body, headers });
  } catch {
    return undefined;
  }
  if (response.status === 503) return undefined;
  const { notification_id: id } = acceptedSchema.parse(await expectOk(response));
  return { id, replayed: response.headers.get("idempotency-replayed") === "true" };
}

export async function readNotification(baseUrl: string, id: string): Promise<NotificationDetail> {
  const response = await call(`${baseUrl}/notifications/${id}`);
  return notificationDetailSchema.parse(await expectOk(response));
}

export async function readAnalytics(baseUrl: string): Promise<AnalyticsReport> {
  return analyticsSchema.parse(await expectOk(await call(`${baseUrl}/analytics`)));
}

/** How often the audit trail has this action for the notification. */
export async function countAudited(baseUrl: string, id: string, action: string): Promise<number> {
  const response = await call(`${baseUrl}/audit?notification_id=${id}`);
  const { entries } = auditSchema.parse(await expectOk(response));
  return entries.filter((entry) => entry.action === action).length;
}

export async function subscribeToPush(
  baseUrl: string,
  userId: string,
  subscription: object,
): Promise<void> {
  const as = await tokenOf(userId);
  await expectOk(await call(`${baseUrl}/push/subscribe`, { as, body: subscription }));
}
