/** A Twilio of our own: messages are created and listed, and told of, with the checks of the real one. */
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
import {
  callBack,
  callbackFields,
  listOf,
  resourceOf,
  signatureOf,
  type TwilioMessage,
  type TwilioStatus,
} from "./twilio-messages.ts";

const MAX_BODY_CHARACTERS = 1_600;
const E164_PATTERN = /^\+[1-9]\d{6,14}$/;

export interface TwilioReply extends ScriptedReply {
  /** Twilio's error code; goes with a `status`. */
  readonly code?: number;
  readonly message?: string;
}

export type { TwilioMessage } from "./twilio-messages.ts";

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
  /** How listing messages is answered from now on: a status, or no answer. */
  scriptLists(choose: () => Pick<TwilioReply, "status" | "hang" | "reset">): void;
  /** Lists asked for so far. */
  readonly lists: number;
  /**
   * From now on a message is there, to be listed; its sender is told if it asked for that. Returns the
   * status of its answer; undefined if nobody is to be told.
   * @param behind where a proxy passes it on to, if the address it was given is that of one
   */
  report(
    message: TwilioMessage,
    status: TwilioStatus,
    behind?: string,
  ): Promise<number | undefined>;
  close(): Promise<void>;
}

interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

export interface TwilioOptions {
  /** What time it is, for tests that turn the clock. */
  readonly now?: () => number;
  /** Done with each message that is taken before it is answered. */
  readonly beforeAnswer?: (message: TwilioMessage) => Promise<void>;
  /** Told of each message when it is taken, and whether all of the answer could be sent. */
  readonly onTaken?: (message: TwilioMessage, answered: Promise<boolean>) => void;
}

export async function startTwilio({
  onTaken,
  beforeAnswer,
  now = Date.now,
}: TwilioOptions = {}): Promise<TwilioService> {
  const account = {
    accountSid: `AC${randomBytes(16).toString("hex")}`,
    authToken: randomBytes(16).toString("hex"),
  };
  const arrivals = createArrivals<TwilioMessage>();
  const replies = createReplyScript<TwilioReply>();
  const statuses = new Map<string, TwilioStatus>();
  const statusOf = ({ sid }: TwilioMessage): TwilioStatus =>
    statuses.get(sid) ?? { status: "queued" };
  let chooseList: () => Pick<TwilioReply, "status" | "hang" | "reset"> = () => ({});
  let lists = 0;
  const refusals: number[] = [];
  const faults: number[] = [];

  const refuse = (response: ServerResponse, refusal: Refusal, headers = {}): void => {
    refusals.push(refusal.code);
    const more_info = `https://www.twilio.com/docs/errors/${refusal.code}`;
    sendJson(response, refusal.status, { ...refusal, more_info }, headers);
  };

  function list(request: IncomingMessage, response: ServerResponse): void {
    lists += 1;
    const reply = chooseList();
    if (reply.reset === true) request.socket.resetAndDestroy();
    else if (reply.status !== undefined && reply.status >= 300) {
      sendJson(response, reply.status, { status: reply.status, code: 20_500, message: "scripted" });
    } else if (reply.hang !== true) {
      const { searchParams } = new URL(request.url ?? "", "http://twilio");
      const resource = (message: TwilioMessage) => resourceOf(message, account, statusOf(message));
      sendJson(response, 200, listOf(arrivals.received, searchParams, resource));
    }
  }

  const server = await listenOnLoopback(async (request, response, body) => {
    const form = new URLSearchParams(body.toString("utf8"));
    const refusal =
      checkAccess(request, account) ?? (request.method === "GET" ? undefined : checkForm(form));
    if (refusal !== undefined) {
      faults.push(refusal.code);
      refuse(response, refusal);
      return;
    }
    if (request.method === "GET") return list(request, response);
    const message = readMessage(form, new Date(now()));
    const reply = replies.take(message.to) ?? {};
    if (reply.delayMs !== undefined) await delay(reply.delayMs);
    if (reply.reset === true) request.socket.resetAndDestroy();
    else if (reply.status !== undefined && reply.status >= 300) {
      const { status, code = 20_500, message: text = "scripted" } = reply;
      refuse(response, { status, code, message: text }, reply.headers);
    } else {
      arrivals.add(message);
      onTaken?.(message, wasAnswered(response));
      await beforeAnswer?.(message);
      if (reply.acceptThenReset === true) request.socket.resetAndDestroy();
      else if (reply.cutBody === true) cutBody(request, response);
      else if (reply.stallBody === true) stallBody(response);
      else if (reply.hang !== true) {
        sendJson(response, 201, resourceOf(message, account, { status: "queued" }));
      }
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
    scriptLists(choose) {
      chooseList = choose;
    },
    get lists() {
      return lists;
    },
    async report(message, status, behind) {
      statuses.set(message.sid, status);
      const { statusCallback: address } = message;
      if (address === undefined) return undefined;
      const fields = callbackFields(message, account, status);
      const { origin, href } = new URL(address);
      const reached = behind === undefined ? address : href.replace(origin, behind);
      return await callBack(reached, fields, signatureOf(account, address, fields));
    },
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
  const [asked] = (request.url ?? "").split("?", 1);
  if ((request.method !== "POST" && request.method !== "GET") || asked !== path) {
    return { status: 404, code: 20_404, message: "The requested resource was not found" };
  }
  if (request.method === "GET") return undefined;
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
  const callback = form.get("StatusCallback");
  if (callback !== null && !URL.canParse(callback)) {
    return { status: 400, code: 21_609, message: "Invalid 'StatusCallback' URL." };
  }
  return undefined;
}

function readMessage(form: URLSearchParams, takenAt: Date): TwilioMessage {
  const validity = form.get("ValidityPeriod");
  return {
    sid: `SM${randomBytes(16).toString("hex")}`,
    to: form.get("To") ?? "",
    from: form.get("From") ?? undefined,
    messagingServiceSid: form.get("MessagingServiceSid") ?? undefined,
    body: form.get("Body") ?? "",
    validityPeriod: validity === null ? undefined : Number(validity),
    statusCallback: form.get("StatusCallback") ?? undefined,
    takenAt,
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
