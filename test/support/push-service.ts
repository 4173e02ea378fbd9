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
import { checkPushRequest, type PushRefusal, type PushRequest } from "./push-service-checks.ts";
import { decryptPush } from "./push-service-decryption.ts";

export interface PushServiceMessage extends PushRequest {
  readonly endpoint: string;
  /** Decrypted, as the service worker would get it. */
  readonly payload: string;
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

type Checked = Omit<PushServiceMessage, "status"> | PushRefusal;

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
    else if (reply.stallBody === true) stallBody(response, undefined, reply.status);
    else if (status === 201) {
      answer(response, 201, {
        location: `${server.origin}/message/${randomUUID()}`,
        ...reply.headers,
      });
    } else if (status !== undefined) answer(response, status, reply.headers, reply.body);
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

/** What any push service checks, and that the browser could read it. */
async function check(
  request: IncomingMessage,
  body: Buffer,
  target: { endpoint: string; origin: string; receiver: Receiver; now: number | undefined },
): Promise<Checked> {
  const { endpoint, origin, receiver, now } = target;
  const { vapidPublicKey } = receiver;
  const checked = await checkPushRequest(request, body, { origin, vapidPublicKey, now });
  if ("refusal" in checked) return checked;
  try {
    return { endpoint, payload: decryptPush(body, receiver).toString("utf8"), ...checked };
  } catch (error) {
    return { status: 400, refusal: String(error) };
  }
}
