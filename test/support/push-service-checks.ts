/** What a push service checks of a message that it cannot read: RFC 8030, 8188 and 8292, header by header. */
import type { IncomingMessage } from "node:http";
import { checkVapid, type VapidClaims } from "./push-service-vapid.ts";

/** What RFC 8030 obliges a push service to take; most take no more. */
const MAX_BODY_BYTES = 4_096;
const URGENCIES = new Set(["very-low", "low", "normal", "high"]);

export interface PushRequest {
  readonly ttlSeconds: number;
  readonly urgency: string | undefined;
  readonly topic: string | undefined;
  readonly vapid: VapidClaims | undefined;
}

export interface PushRefusal {
  readonly status: number;
  readonly refusal: string;
}

/**
 * @param sender the service's own origin, which the token must name, and the key that the browser
 * subscribed with; without one anybody may send.
 */
export async function checkPushRequest(
  request: IncomingMessage,
  body: Buffer,
  sender: {
    readonly origin: string;
    readonly vapidPublicKey: string | undefined;
    /** Epoch milliseconds; the machine's time unless given. */
    readonly now?: number | undefined;
  },
): Promise<PushRequest | PushRefusal> {
  const { authorization, "content-encoding": encoding } = request.headers;
  const [ttl, urgency, topic] = ["ttl", "urgency", "topic"].map((name) =>
    [request.headers[name]].flat().at(0),
  );
  if (request.method !== "POST") return { status: 405, refusal: "messages are posted" };
  const { origin, vapidPublicKey, now } = sender;
  const vapid = await checkVapid(authorization, origin, vapidPublicKey, now);
  if (!vapid.accepted) return { status: vapid.status, refusal: vapid.reason };
  if (ttl === undefined || !/^\d+$/.test(ttl)) return { status: 400, refusal: "TTL is required" };
  if (urgency !== undefined && !URGENCIES.has(urgency)) {
    return { status: 400, refusal: "Urgency is none of the four" };
  }
  if (topic !== undefined && !/^[A-Za-z0-9_-]{1,32}$/.test(topic)) {
    return { status: 400, refusal: "Topic is not 1 to 32 base64url characters" };
  }
  if (body.length > MAX_BODY_BYTES) return { status: 413, refusal: "the body is too large" };
  if (encoding !== "aes128gcm") return { status: 400, refusal: "Content-Encoding: aes128gcm" };
  return { ttlSeconds: Number(ttl), urgency, topic, vapid: vapid.claims };
}
