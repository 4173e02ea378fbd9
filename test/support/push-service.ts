/** A push service of our own: it checks what real ones check and reads what a browser would read. */
import { createECDH, randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import {
  answer,
  createArrivals,
  createReplyScript,
  cutBody,
  listenOnLoopback,
  resetConnection,
  stallBody,
  wasAnswered,
  type ScriptedReply,
  type ServerCertificate,
} from "./provider-server.ts";
import { decryptPush } from "./push-service-decryption.ts";
import { checkVapid, type VapidClaims } from "./push-service-vapid.ts";

/** What RFC 8030 obliges a push service to take; most take no more. */
const MAX_BODY_BYTES = 4_096;
const URGENCIES = new Set(["very-low", "low", "normal", "high"]);

export interface PushServiceMessage {
  readonly endpoint: string;
  /** Decrypted, as the service worker would get it. */
  readonly payload: string;
  readonly ttlSeconds: number;
  readonly urgency: string | undefined;
  readonly topic: string | undefined;
  readonly vapid: VapidClaims | undefined;
  /** What it was answered with; undefined if the script left it without a whole answer. */
  readonly status: number | undefined;
}

export interface BrowserSubscription {
  readonly endpoint: string;
  readonly expirationTime: null;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export interface PushService {
  readonly origin: string;
  /** As a browser does; with a key only its owner may send. */
  subscribe(vapidPublicKey?: string): BrowserSubscription;
  /** As a browser does: from now on nobody is there. */
  unsubscribe(endpoint: string): void;
  /** How many connections were made so far. */
  connections(): number;
  /** Every well-formed and rightly signed message, scripted refusals included. */
  readonly received: readonly PushServiceMessage[];
  /** Why others were refused. */
  readonly refusals: readonly string[];
  next(): Promise<PushServiceMessage>;
  /** How this endpoint answers from now on; replaces what was scripted before. */
  script(endpoint: string, reply: ScriptedReply): void;
  /** How all others answer; asked for each request. */
  scriptAll(choose: () => ScriptedReply): void;
  close(): Promise<void>;
}

interface Receiver {
  readonly privateKey: Buffer;
  readonly authSecret: Buffer;
  readonly vapidPublicKey: string | undefined;
}

type Checked =
  | Omit<PushServiceMessage, "status">
  | { readonly refusal: string; readonly status: number };

export interface Arrival {
  readonly message: PushServiceMessage;
  /** The browser gets it, whatever the sender heard. */
  readonly taken: boolean;
  /** Whether all of the answer could be sent. */
  readonly answered: Promise<boolean>;
}

export interface PushServiceOptions {
  /** Told of each message that enters `received`. */
  readonly onArrival?: (arrival: Arrival) => void;
  /** With it the service speaks https. */
  readonly certificate?: ServerCertificate;
  /** What time it is there, epoch ms; the machine's unless given. */
  readonly now?: () => number;
}

export async function startPushService(options: PushServiceOptions = {}): Promise<PushService> {
  const receivers = new Map<string, Receiver>();
  const arrivals = createArrivals<PushServiceMessage>();
  const replies = createReplyScript();
  const refusals: string[] = [];

  const handle = async (
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
  ): Promise<void> => {
    const endpoint = `${server.origin}${request.url ?? ""}`;
    const receiver = receivers.get(endpoint);
    const message: Checked =
      receiver === undefined
        ? { status: 404, refusal: "no such subscription" }
        : await check(request, body, {
            endpoint,
            origin: server.origin,
            receiver,
            now: options.now?.(),
          });
    if ("refusal" in message) {
      refusals.push(message.refusal);
      answer(response, message.status, {}, message.refusal);
      return;
    }
    const reply = replies.take(endpoint) ?? {};
    const { status, taken } = verdictOf(reply);
    arrivals.add({ ...message, status });
    const answered = wasAnswered(response);
    options.onArrival?.({ message: { ...message, status }, taken, answered });
    if (reply.delayMs !== undefined) await delay(reply.delayMs);
    if (reply.reset === true || reply.acceptThenReset === true) resetConnection(request);
    else if (reply.cutBody === true) cutBody(request, response);
    else if (reply.stallBody === true) stallBody(response);
    else if (status === 201) {
      answer(response, 201, {
        location: `${server.origin}/message/${randomUUID()}`,
        ...reply.headers,
      });
    } else if (status !== undefined) answer(response, status, reply.headers);
  };
  const server = await listenOnLoopback(handle, options.certificate);

  return {
    origin: server.origin,
    received: arrivals.received,
    refusals,
    next: arrivals.next,
    script: replies.set,
    scriptAll: replies.setForAll,
    connections: server.connections,
    close: server.close,
    unsubscribe: (endpoint) => void receivers.delete(endpoint),
    subscribe(vapidPublicKey) {
      const ecdh = createECDH("prime256v1");
      ecdh.generateKeys();
      const authSecret = randomBytes(16);
      const endpoint = `${server.origin}/push/${randomUUID()}`;
      receivers.set(endpoint, { privateKey: ecdh.getPrivateKey(), authSecret, vapidPublicKey });
      return {
        endpoint,
        expirationTime: null,
        keys: {
          p256dh: ecdh.getPublicKey("base64url"),
          auth: authSecret.toString("base64url"),
        },
      };
    },
  };
}

/** What the script means for a message that is in order. */
function verdictOf(reply: ScriptedReply): { status: number | undefined; taken: boolean } {
  if (reply.hang === true || reply.reset === true) return { status: undefined, taken: false };
  if (reply.acceptThenReset === true || reply.cutBody === true || reply.stallBody === true) {
    return { status: undefined, taken: true };
  }
  const status = reply.status ?? 201;
  return { status, taken: status === 201 };
}

/** Header by header as RFC 8030, 8188, 8291 and 8292 ask. */
async function check(
  request: IncomingMessage,
  body: Buffer,
  target: { endpoint: string; origin: string; receiver: Receiver; now: number | undefined },
): Promise<Checked> {
  const { endpoint, origin, receiver, now } = target;
  const { authorization, "content-encoding": encoding } = request.headers;
  const [ttl, urgency, topic] = ["ttl", "urgency", "topic"].map((name) =>
    [request.headers[name]].flat().at(0),
  );
  if (request.method !== "POST") return { status: 405, refusal: "messages are posted" };
  const vapid = await checkVapid(authorization, origin, receiver.vapidPublicKey, now);
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
  try {
    const payload = decryptPush(body, receiver).toString("utf8");
    return { endpoint, payload, ttlSeconds: Number(ttl), urgency, topic, vapid: vapid.claims };
  } catch (error) {
    return { status: 400, refusal: String(error) };
  }
}
