/** What a provider is like at the moment, as the replies with which its double answers. */
import type { TwilioReply } from "../../../support/twilio.ts";

export type Weather =
  | { readonly kind: "fine" }
  /** 429, and when to come again: in seconds, or as the date that this is when it answers. */
  | { readonly kind: "busy"; readonly retryAfterSeconds: number; readonly as: "seconds" | "date" }
  /** 500: not taken. */
  | { readonly kind: "failing" }
  /** No answer. A push is not taken, a text message is. */
  | { readonly kind: "hanging" }
  /** Not taken: the connection is reset. */
  | { readonly kind: "resetting" }
  /** Taken, and the connection reset before any answer. */
  | { readonly kind: "losing" }
  /** Taken; 201 is answered and the connection cut in the middle of the body. */
  | { readonly kind: "cutting" }
  /** As in fine weather, this much later. */
  | { readonly kind: "slow"; readonly delayMs: number };

const TOO_MANY_REQUESTS = { status: 429, code: 20_429, message: "Too Many Requests" };
const INTERNAL_ERROR = { status: 500, code: 20_500, message: "Internal Server Error" };

/** @param nowMs when it answers */
export function replyIn(weather: Weather, nowMs: number): TwilioReply {
  switch (weather.kind) {
    case "fine":
      return {};
    case "busy":
      return { ...TOO_MANY_REQUESTS, headers: { "retry-after": retryAfter(weather, nowMs) } };
    case "failing":
      return INTERNAL_ERROR;
    case "hanging":
      return { hang: true };
    case "resetting":
      return { reset: true };
    case "losing":
      return { acceptThenReset: true };
    case "cutting":
      return { cutBody: true };
    case "slow":
      return { delayMs: weather.delayMs };
  }
}

/** How a provider answers who asks what it took. */
export function listReplyIn(weather: Weather): Pick<TwilioReply, "status" | "hang" | "reset"> {
  switch (weather.kind) {
    case "busy":
      return { status: 429 };
    case "failing":
      return { status: 500 };
    case "hanging":
      return { hang: true };
    case "resetting":
    case "losing":
      return { reset: true };
    case "fine":
    case "cutting":
    case "slow":
      return {};
  }
}

function retryAfter(
  { retryAfterSeconds, as }: Extract<Weather, { kind: "busy" }>,
  nowMs: number,
): string {
  if (as === "seconds") return String(retryAfterSeconds);
  return new Date(nowMs + retryAfterSeconds * 1_000).toUTCString();
}
