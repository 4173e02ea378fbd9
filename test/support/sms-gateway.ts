/** An SMS gateway of our own, as docs/SMS.md has somebody write one: it checks all that it says. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import {
  answer,
  createArrivals,
  createReplyScript,
  cutBody,
  listenOnLoopback,
  stallBody,
  type ScriptedReply,
} from "./provider-server.ts";

const TOLERANCE_SECONDS = 300;

const messageSchema = z.strictObject({
  message_id: z.string().min(1).max(64),
  to: z.string().regex(/^\+[1-9]\d{6,14}$/),
  text: z.string().min(1),
  sender: z.string().optional(),
  validity_seconds: z.int().positive().optional(),
  callback_url: z.url().optional(),
});
export type GatewayMessage = z.infer<typeof messageSchema>;

export interface GatewayReply extends ScriptedReply {
  /** What a scripted refusal says: `{"error": ...}`. */
  readonly error?: string;
  /** What an acceptance says in place of `{"provider_id": ...}`. */
  readonly body?: string;
}

export interface SmsGateway {
  /** For `SMS_WEBHOOK_URL`. */
  readonly url: string;
  /** Messages taken, each once, and those that a script then left without an answer. */
  readonly received: readonly GatewayMessage[];
  /** Requests, whatever became of them. */
  readonly requests: number;
  /** Why requests were refused that no script refused. */
  readonly faults: readonly string[];
  next(): Promise<GatewayMessage>;
  script(to: string, reply: GatewayReply): void;
  close(): Promise<void>;
}

/** `t=<epoch seconds>,v1=<hex>`, over the time, a dot and the body. */
export function signAsGateway(secret: string, body: string, seconds: number): string {
  const hex = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${hex}`;
}

function isSigned(header: string, body: string, secret: string, nowMs: number): boolean {
  const [time = "", ...signatures] = header.split(",");
  const seconds = Number(time.replace(/^t=/, ""));
  if (!(Math.abs(nowMs / 1_000 - seconds) <= TOLERANCE_SECONDS)) return false;
  const [, expected = ""] = signAsGateway(secret, body, seconds).split(",");
  return signatures.some(
    (given) =>
      given.length === expected.length &&
      timingSafeEqual(Buffer.from(given), Buffer.from(expected)),
  );
}

export async function startSmsGateway(
  secret: string,
  now: () => number = Date.now,
): Promise<SmsGateway> {
  const arrivals = createArrivals<GatewayMessage>();
  const replies = createReplyScript<GatewayReply>();
  const taken = new Map<string, string>();
  const faults: string[] = [];
  let requests = 0;

  function faultOf(headers: IncomingHttpHeaders, body: string): [number, string] | undefined {
    const signature = headers["schoolbell-signature"];
    if (typeof signature !== "string" || !isSigned(signature, body, secret, now())) {
      return [401, "bad_signature"];
    }
    if (headers["content-type"] !== "application/json") return [415, "bad_type"];
    const message = messageSchema.safeParse(JSON.parse(body));
    if (!message.success) return [400, "bad_message"];
    if (headers["idempotency-key"] !== message.data.message_id) return [400, "bad_key"];
    return undefined;
  }

  const server = await listenOnLoopback(async (request, response, bytes) => {
    requests += 1;
    const body = bytes.toString("utf8");
    const json = { "content-type": "application/json" };
    const fault = faultOf(request.headers, body);
    if (fault !== undefined) {
      const [status, error] = fault;
      faults.push(error);
      answer(response, status, json, JSON.stringify({ error }));
      return;
    }
    const message = messageSchema.parse(JSON.parse(body));
    const reply = replies.take(message.to) ?? {};
    if (reply.delayMs !== undefined) await delay(reply.delayMs);
    if (reply.reset === true) {
      request.socket.resetAndDestroy();
      return;
    }
    const { status = 202, error, headers = {} } = reply;
    if (status >= 300) {
      answer(response, status, { ...json, ...headers }, JSON.stringify({ error }));
      return;
    }
    const isNew = !taken.has(message.message_id);
    const id = taken.get(message.message_id) ?? `gw-${taken.size + 1}`;
    taken.set(message.message_id, id);
    if (isNew) arrivals.add(message);
    if (reply.acceptThenReset === true) request.socket.resetAndDestroy();
    else if (reply.cutBody === true) cutBody(request, response);
    else if (reply.stallBody === true) stallBody(response);
    else if (reply.hang !== true) {
      answer(response, status, json, reply.body ?? JSON.stringify({ provider_id: id }));
    }
  });

  return {
    url: `${server.origin}/messages`,
    received: arrivals.received,
    get requests() {
      return requests;
    },
    faults,
    next: arrivals.next,
    script: replies.set,
    close: server.close,
  };
}
