/** What our own Twilio keeps of the messages it took: to be listed, and to tell of by callbacks. */
import { createHmac } from "node:crypto";

export interface TwilioMessage {
  readonly sid: string;
  readonly to: string;
  readonly from: string | undefined;
  readonly messagingServiceSid: string | undefined;
  readonly body: string;
  readonly validityPeriod: number | undefined;
  readonly statusCallback: string | undefined;
  readonly takenAt: Date;
}

/** Where a message is on its way, as Twilio says it. */
export interface TwilioStatus {
  readonly status: string;
  /** Why it was not delivered. */
  readonly errorCode?: number;
}

interface Account {
  readonly accountSid: string;
  readonly authToken: string;
}

const DEFAULT_PAGE_SIZE = 50;

/** The resource of a message, in answers. */
export function resourceOf(
  message: TwilioMessage,
  { accountSid }: Account,
  { status, errorCode }: TwilioStatus,
): Record<string, unknown> {
  const time = message.takenAt.toUTCString().replace("GMT", "+0000");
  return {
    sid: message.sid,
    account_sid: accountSid,
    to: message.to,
    from: message.from ?? null,
    messaging_service_sid: message.messagingServiceSid ?? null,
    body: message.body,
    status,
    direction: "outbound-api",
    num_segments: "1",
    num_media: "0",
    error_code: errorCode ?? null,
    error_message: null,
    date_created: time,
    date_sent: status === "queued" ? null : time,
    uri: `/2010-04-01/Accounts/${accountSid}/Messages/${message.sid}.json`,
  };
}

/**
 * A page of messages, newest first, as `GET Messages.json` answers. What waits in a queue has not been
 * sent: asked for what was sent since a time, Twilio leaves it out.
 */
export function listOf(
  messages: readonly TwilioMessage[],
  query: URLSearchParams,
  resource: (message: TwilioMessage) => Record<string, unknown>,
): Record<string, unknown> {
  const [to, since] = [query.get("To"), query.get("DateSent>")];
  const size = Number(query.get("PageSize") ?? DEFAULT_PAGE_SIZE);
  const found = messages
    .filter((message) => to === null || message.to === to)
    .map(resource)
    .filter(({ date_sent: sent }) => since === null || isSince(sent, since))
    .toReversed()
    .slice(0, size);
  return { messages: found, page: 0, page_size: size, next_page_uri: null };
}

function isSince(sent: unknown, since: string): boolean {
  return typeof sent === "string" && new Date(sent) >= new Date(since);
}

/** The signature of a request: over the address as it was given, and the fields sorted by name. */
export function signatureOf(
  { authToken }: Account,
  address: string,
  fields: Readonly<Record<string, string>>,
): string {
  const sorted = Object.keys(fields).toSorted();
  const text = address + sorted.map((name) => `${name}${fields[name] ?? ""}`).join("");
  return createHmac("sha1", authToken).update(text).digest("base64");
}

/** The fields of a status callback. */
export function callbackFields(
  message: TwilioMessage,
  { accountSid }: Account,
  { status, errorCode }: TwilioStatus,
): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: "2010-04-01",
    From: message.from ?? "",
    To: message.to,
    MessageSid: message.sid,
    SmsSid: message.sid,
    MessageStatus: status,
    SmsStatus: status,
    ...(message.messagingServiceSid === undefined
      ? {}
      : { MessagingServiceSid: message.messagingServiceSid }),
    ...(errorCode === undefined ? {} : { ErrorCode: String(errorCode) }),
  };
}

/** Posts a status callback; returns the status of the answer. */
export async function callBack(
  address: string,
  fields: Readonly<Record<string, string>>,
  signature: string,
): Promise<number> {
  const response = await fetch(address, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      "user-agent": "TwilioProxy/1.1",
      "x-twilio-signature": signature,
    },
    body: new URLSearchParams(fields),
  });
  await response.arrayBuffer();
  return response.status;
}
