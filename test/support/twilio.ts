/** A Twilio of our own: the one call that creates a message, with the checks of the real one. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import {
  answer,
  createArrivals,
  createReplyScript,
  cutBody,
  listenOnLoopback,
  stallBody,
  wasAnswered,
  type ScriptedReply,
} from "./provider-server.ts";

const MAX_BODY_CHARACTERS = 1_600;
const E164_PATTERN = /^\+[1-9]\d{6,14}$/;

export interface TwilioReply extends ScriptedReply {
  /** Twilio's error code; goes with a `status`. */
  readonly code?: number;
  readonly message?: string;
}

export interface TwilioMessage {
  readonly sid: string;
  readonly to: string;
  readonly from: string | undefined;
  readonly messagingServiceSid: string | undefined;
  readonly body: string;
  readonly validityPeriod: number | undefined;
}

export interface TwilioService {
  /** For `TWILIO_API_URL`. */
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** Messages taken, and those that a script then left without an answer. */
  readonly received: readonly TwilioMessage[];
  /** Codes of those refused, scripted or not. */
  readonly refusals: readonly number[];
  /** Of these, what no script asked for: those whose requests were wrong. */
  readonly faults: readonly number[];
  next(): Promise<TwilioMessage>;
  /** How messages to this number are answered from now on. */
  script(to: string, reply: TwilioReply): void;
  /** How all others are answered; asked for each. */
  scriptAll(choose: () => TwilioReply): void;
  close(): Promise<void>;
}

interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

export interface TwilioOptions {
  /** Told of each message when it is taken, and whether all of the answer could be sent. */
  readonly onTaken?: (message: TwilioMessage, answered: Promise<boolean>) => void;
}

export async function startTwilio({ onTaken }: TwilioOptions = {}): Promise<TwilioService> {
  const account = {
    accountSid: `AC${randomBytes(16).toString("hex")}`,
    authToken: randomBytes(16).toString("hex"),
  };
  const arrivals = createArrivals<TwilioMessage>();
  const replies = createReplyScript<TwilioReply>();
  const refusals: number[] = [];
  const faults: number[] = [];

  const refuse = (response: ServerResponse, refusal: Refusal, headers = {}): void => {
    refusals.push(refusal.code);
    const more_info = `https://www.twilio.com/docs/errors/${refusal.code}`;
    sendJson(response, refusal.status, { ...refusal, more_info }, headers);
  };

  const server = await listenOnLoopback(async (request, response, body) => {
    const form = new URLSearchParams(body.toString("utf8"));
    const refusal = checkAccess(request, account) ?? checkForm(form);
    if (refusal !== undefined) {
      faults.push(refusal.code);
      refuse(response, refusal);
      return;
    }
    const message = readMessage(form);
    const reply = replies.take(message.to) ?? {};
    if (reply.delayMs !== undefined) await delay(reply.delayMs);
    if (reply.reset === true) request.socket.resetAndDestroy();
    else if (reply.status !== undefined && reply.status >= 300) {
      const { status, code = 20_500, message: text = "scripted" } = reply;
      refuse(response, { status, code, message: text }, reply.headers);
    } else {
      arrivals.add(message);
      onTaken?.(message, wasAnswered(response));
      if (reply.acceptThenReset === true) request.socket.resetAndDestroy();
      else if (reply.cutBody === true) cutBody(request, response);
      else if (reply.stallBody === true) stallBody(response);
      else if (reply.hang !== true) sendJson(response, 201, resourceOf(message, account));
    }
  });

  return {
    url: server.origin,
    ...account,
    received: arrivals.received,
    refusals,
    faults,
    next: arrivals.next,
    script: replies.set,
    scriptAll: replies.setForAll,
    close: server.close,
  };
}

type Account = Pick<TwilioService, "accountSid" | "authToken">;

function checkAccess(request: IncomingMessage, account: Account): Refusal | undefined {
  const credentials = Buffer.from(`${account.accountSid}:${account.authToken}`).toString("base64");
  if (request.headers.authorization !== `Basic ${credentials}`) {
    return { status: 401, code: 20_003, message: "Authenticate" };
  }
  const path = `/2010-04-01/Accounts/${account.accountSid}/Messages.json`;
  if (request.method !== "POST" || request.url !== path) {
    return { status: 404, code: 20_404, message: "The requested resource was not found" };
  }
  if (request.headers["content-type"] !== "application/x-www-form-urlencoded") {
    return { status: 415, code: 20_415, message: "Unsupported media type" };
  }
  return undefined;
}

function checkForm(form: URLSearchParams): Refusal | undefined {
  const to = form.get("To");
  const body = form.get("Body") ?? "";
  if (to === null) return { status: 400, code: 21_604, message: "A 'To' number is required." };
  if (!E164_PATTERN.test(to)) {
    return { status: 400, code: 21_211, message: "Invalid 'To' Phone Number" };
  }
  if (form.get("From") === null && form.get("MessagingServiceSid") === null) {
    return { status: 400, code: 21_603, message: "A 'From' number is required." };
  }
  if (body === "") return { status: 400, code: 21_602, message: "Message body is required." };
  if (body.length > MAX_BODY_CHARACTERS) {
    return { status: 400, code: 21_617, message: "The message body exceeds 1600 characters." };
  }
  const validity = form.get("ValidityPeriod");
  if (validity !== null && !(Number(validity) >= 1 && Number(validity) <= 36_000)) {
    return { status: 400, code: 21_622, message: "ValidityPeriod is out of range" };
  }
  return undefined;
}

function readMessage(form: URLSearchParams): TwilioMessage {
  const validity = form.get("ValidityPeriod");
  return {
    sid: `SM${randomBytes(16).toString("hex")}`,
    to: form.get("To") ?? "",
    from: form.get("From") ?? undefined,
    messagingServiceSid: form.get("MessagingServiceSid") ?? undefined,
    body: form.get("Body") ?? "",
    validityPeriod: validity === null ? undefined : Number(validity),
  };
}

function resourceOf(message: TwilioMessage, account: Account): Record<string, unknown> {
  return {
    sid: message.sid,
    account_sid: account.accountSid,
    to: message.to,
    from: message.from ?? null,
    messaging_service_sid: message.messagingServiceSid ?? null,
    body: message.body,
    status: "queued",
    direction: "outbound-api",
    num_segments: "1",
    num_media: "0",
    error_code: null,
    error_message: null,
    date_created: new Date().toUTCString(),
    uri: `/2010-04-01/Accounts/${account.accountSid}/Messages/${message.sid}.json`,
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  answer(
    response,
    status,
    { "content-type": "application/json;charset=utf-8", ...headers },
    JSON.stringify(body),
  );
}
