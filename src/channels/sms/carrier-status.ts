/** The words in which Twilio says what became of a message, and why it did not arrive. */
import type { CarrierReport, CarrierStatus } from "../channel.ts";

/** https://www.twilio.com/docs/messaging/api/message-resource#message-status-values */
const STATUSES: ReadonlyMap<string, CarrierStatus> = new Map([
  ["accepted", "queued"],
  ["scheduled", "queued"],
  ["queued", "queued"],
  ["sending", "sending"],
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["undelivered", "undelivered"],
  ["failed", "failed"],
  ["canceled", "failed"],
]);

const OPTED_OUT = "21610";

/** https://www.twilio.com/docs/api/errors, as one word each: they stand in timelines. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  [OPTED_OUT, "opted_out"],
  ["30001", "queue_overflow"],
  ["30002", "account_suspended"],
  ["30003", "handset_unreachable"],
  ["30004", "message_blocked"],
  ["30005", "handset_unknown"],
  ["30006", "landline_or_carrier_unreachable"],
  ["30007", "filtered_by_carrier"],
  ["30008", "carrier_said_no_more"],
]);

/** Of a code that nobody has put in words, only what can stand in a timeline. */
const CODE_PATTERN = /^\d{1,6}$/;

/** Undefined for a status that this version does not know: then nothing is concluded from it. */
export function readTwilioStatus(
  status: string,
  code: string | undefined,
  messageId: string | undefined,
): CarrierReport | undefined {
  const known = STATUSES.get(status);
  if (known === undefined) return undefined;
  if (!hasFailed(known)) return { status: known, messageId };
  const fault = code !== undefined && CODE_PATTERN.test(code) ? faultOf(code) : status;
  return { status: known, messageId, fault, optedOut: code === OPTED_OUT };
}

export function hasFailed(status: CarrierStatus): boolean {
  return status === "undelivered" || status === "failed";
}

function faultOf(code: string): string {
  const words = FAULTS.get(code);
  return words === undefined ? code : `${code}_${words}`;
}

/** Nothing comes after it. */
export function isFinal(status: CarrierStatus): boolean {
  return status === "delivered" || hasFailed(status);
}

/** Nothing comes after the last ones, of which the first that is said counts. */
export function rankOf(status: CarrierStatus): number {
  switch (status) {
    case "queued":
      return 0;
    case "sending":
      return 1;
    case "sent":
      return 2;
    case "delivered":
    case "undelivered":
    case "failed":
      return 3;
  }
}
