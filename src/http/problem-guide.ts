/** What each error code means to a caller and what to do about it: the text of `/docs/errors`. */
import type { ProblemCode } from "../platform/problems.ts";

export interface ProblemGuide {
  readonly meaning: string;
  readonly remedy: string;
}

export const PROBLEM_GUIDE: Readonly<Record<ProblemCode, ProblemGuide>> = {
  invalid_json: {
    meaning: "The body is empty, is not UTF-8 or does not parse as JSON.",
    remedy: "Mend the body; a JSON library, not string building, avoids this.",
  },
  invalid_request: {
    meaning: "A field, a query parameter or a part of the path is missing or has a wrong value.",
    remedy: "Read `errors`: each entry names the place and what is expected there.",
  },
  invalid_template_data: {
    meaning: "The template exists, but `data` lacks a field it needs or holds a wrong one.",
    remedy: "Read `errors` and compare `data` with the template's schema.",
  },
  invalid_date_range: {
    meaning:
      "The end of a range lies before its start, a range of days is too long, or `expires_at` is not after `send_at`.",
    remedy:
      "Swap the two or narrow the range to 366 days; let a notification expire after it is sent.",
  },
  invalid_subscription: {
    meaning: "The push subscription lacks an endpoint or keys, or the keys do not decode.",
    remedy: "Send what `PushManager.subscribe()` returned, unchanged.",
  },
  endpoint_not_allowed: {
    meaning: "The push endpoint is not a push service this installation sends to.",
    remedy: "Use a browser's own push service, or ask the operator to extend PUSH_ALLOWED_HOSTS.",
  },
  unauthenticated: {
    meaning:
      "There is no token, or it is expired, wrongly signed or incomplete; or a receipt or a renewal is not ours. `detail` says which.",
    remedy:
      "Get a fresh token and repeat the request; a receipt or renewal that is refused can be dropped.",
  },
  forbidden: {
    meaning:
      "The token is valid but lacks the scope that this needs; or what an SMS provider hands over is not rightly signed.",
    remedy:
      "Use a token with the scope that `detail` names; sign over the very address and body, with a clock that is right.",
  },
  not_found: {
    meaning: "There is no such path, or nothing with this id that the caller may see.",
    remedy: "Check the path and the id, and that the token belongs to sender or recipient.",
  },
  unknown_template: {
    meaning: "No template has this `template_id`.",
    remedy: "Check its spelling against `GET /templates`.",
  },
  method_not_allowed: {
    meaning: "The path exists but not with this method.",
    remedy: "Use one of the methods in the `Allow` header.",
  },
  idempotency_conflict: {
    meaning: "The `Idempotency-Key` was used within 24 hours for a different body.",
    remedy: "Use a new key for a new request, and the same body for a repetition.",
  },
  not_cancellable: {
    meaning: "The notification has already been handed on or has ended.",
    remedy: "Nothing: read its status to see how it ended.",
  },
  not_redrivable: {
    meaning:
      "The notification has not failed, has expired, or holds nothing that can be sent again; `detail` says which.",
    remedy: "Read its status; where only an SMS that may have been sent is left, name `sms`.",
  },
  subscription_removed: {
    meaning:
      "A push subscription that its person took off their list was sent unasked, or one is to be replaced that is not there any more.",
    remedy: "Unsubscribe the browser; subscribe anew when the person asks for notifications there.",
  },
  not_snoozable: {
    meaning:
      "It is no longer in the person's history, or expires before it would come again; `detail` says which.",
    remedy: "Show it again as it was, or ask for fewer minutes.",
  },
  receipt_expired: {
    meaning: "The push message of this receipt is more than six days old, or no longer known.",
    remedy: "Nothing: the receipt can be dropped.",
  },
  body_too_large: {
    meaning:
      "The body is over the limit: 64 KB, or 4 MB for a bulk request, each item of which may hold 64 KB.",
    remedy: "Send less, or split the bulk request.",
  },
  unsupported_media_type: {
    meaning:
      "The body is not declared as what is taken here: JSON in UTF-8, or from Twilio a form.",
    remedy:
      "Send `Content-Type: application/json`; Twilio's webhooks take `application/x-www-form-urlencoded`.",
  },
  rate_limited: {
    meaning: "Too many requests by this service, user or address within a minute.",
    remedy:
      "Wait as long as `Retry-After` says, then go on more slowly; split a bulk that is larger than the limit.",
  },
  internal: {
    meaning: "A fault of this service. It has been logged with the request id.",
    remedy: "Try again with the same idempotency key; report the request id if it stays.",
  },
  unavailable: {
    meaning:
      "Storage is away or full, or the queue is too deep. The request may have been accepted.",
    remedy: "Wait as long as `Retry-After` says and repeat with the same idempotency key.",
  },
};
