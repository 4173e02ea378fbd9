/** Mozilla's push service in small: browsers are connected to it, senders post to it. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { createAgents } from "./autopush-agents.ts";
import { serveBrowser, type Ack } from "./autopush-connection.ts";
import { answer, createArrivals, listenOnLoopback } from "./provider-server.ts";
import { checkPushRequest, type PushRequest } from "./push-service-checks.ts";

/** Autopush takes longer ones and shortens them to this. */
const MAX_TTL_SECONDS = 30 * 24 * 3_600;

/** Of the documented error numbers, those that senders meet. */
const ERRNO = { unknownEndpoint: 102, gone: 106, authentication: 109, tooLarge: 104, header: 111 };

export interface PostedPush extends PushRequest {
  readonly endpoint: string;
  readonly version: string;
  /** `performance.now()` when it was taken. */
  readonly at: number;
}

export interface Autopush {
  /** Where senders post: what `PUSH_ALLOWED_HOSTS` must name. */
  readonly origin: string;
  /** For the preference `dom.push.serverURL`. */
  readonly serverUrl: string;
  /** Every message that was taken. */
  readonly posted: readonly PostedPush[];
  /** Posts that were refused, with the status they were answered with. */
  readonly refused: readonly { readonly status: number; readonly endpoint: string }[];
  /** What the browser says of this message, once it does, and `performance.now()` of that. */
  ackOf(version: string): Promise<Ack & { readonly at: number }>;
  /** A browser gave up a subscription. @returns its reason: 200 when a page asked for it. */
  nextUnregister(): Promise<number>;
  readonly subscriptionCount: number;
  /** From now on no browser gets through: as where its network is gone. */
  cutOff(): void;
  /** Browsers get through again when they next try. */
  letIn(): void;
  /** All subscriptions are lost; browsers learn of it when they next connect, which is at once. */
  forgetBrowsers(): void;
  close(): Promise<void>;
}

export async function startAutopush(now: () => number = Date.now): Promise<Autopush> {
  const agents = createAgents(now);
  const posted: PostedPush[] = [];
  const acks = new Map<string, PromiseWithResolvers<Ack & { readonly at: number }>>();
  const ackFor = (version: string): PromiseWithResolvers<Ack & { readonly at: number }> => {
    const known = acks.get(version) ?? Promise.withResolvers();
    acks.set(version, known);
    return known;
  };
  const unregisters = createArrivals<number>();
  const refused: { status: number; endpoint: string }[] = [];
  let open = true;

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
  ): Promise<void> {
    const path = request.url ?? "";
    const endpoint = `${sender.origin}${path}`;
    const refuse = (status: number, message: string): void => {
      refused.push({ status, endpoint });
      answerError(response, status, message);
    };
    const subscription = agents.find(path);
    if (subscription === undefined) return refuse(404, "Invalid token");
    if (subscription === "gone") return refuse(410, "No such subscription");
    const { vapidPublicKey } = subscription;
    const checked = await checkPushRequest(request, body, {
      origin: sender.origin,
      vapidPublicKey,
    });
    // Whatever is wrong with the sender's signature, autopush calls it unauthorized.
    if ("refusal" in checked) {
      return refuse(checked.status === 403 ? 401 : checked.status, checked.refusal);
    }
    const ttlSeconds = Math.min(checked.ttlSeconds, MAX_TTL_SECONDS);
    const expiresAt = now() + ttlSeconds * 1_000;
    const at = performance.now();
    const version = agents.accept(subscription, {
      body,
      ttlSeconds,
      topic: checked.topic,
      expiresAt,
    });
    answer(response, 201, { location: `${sender.origin}/m/${version}`, ttl: String(ttlSeconds) });
    posted.push({ ...checked, endpoint, version, at });
  }

  const sender = await listenOnLoopback(handle);
  const browsers = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    verifyClient: () => open,
  });
  await once(browsers, "listening");
  browsers.on("connection", (socket) =>
    serveBrowser(socket, {
      agents,
      endpointOrigin: () => sender.origin,
      onAck: (ack) => ackFor(ack.version).resolve({ ...ack, at: performance.now() }),
      onUnregister: unregisters.add,
    }),
  );
  const hangUp = (): void => {
    for (const socket of browsers.clients) socket.terminate();
  };

  // A server that listens on TCP has an address of this form.
  const { port } = browsers.address() as AddressInfo;
  return {
    origin: sender.origin,
    serverUrl: `ws://127.0.0.1:${port}/`,
    posted,
    refused,
    ackOf: (version) => ackFor(version).promise,
    nextUnregister: unregisters.next,
    get subscriptionCount() {
      return agents.subscriptionCount;
    },
    cutOff() {
      open = false;
      hangUp();
    },
    letIn() {
      open = true;
    },
    forgetBrowsers() {
      agents.forgetAll();
      hangUp();
    },
    async close() {
      hangUp();
      await new Promise((resolve) => browsers.close(resolve));
      await sender.close();
    },
  };
}

/** In the form that autopush documents. */
function answerError(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ code: status, errno: errnoOf(status), error: message, message });
  const headers = {
    "content-type": "application/json",
    // Who keeps sending to what is gone for good may as well remember it.
    ...(status === 410 ? { "cache-control": "max-age=86400" } : {}),
  };
  answer(response, status, headers, body);
}

function errnoOf(status: number): number {
  switch (status) {
    case 404:
      return ERRNO.unknownEndpoint;
    case 410:
      return ERRNO.gone;
    case 401:
      return ERRNO.authentication;
    case 413:
      return ERRNO.tooLarge;
    default:
      return ERRNO.header;
  }
}
