/**
 * Translates what Twilio and the network answer into outcomes. An SMS costs money and cannot be
 * taken back, so the question is always the same: can this request have been acted upon?
 */
import type { Outcome } from "../channel.ts";
import { networkFault } from "../deadline.ts";
import { parseRetryAfter } from "../retry-after.ts";

/** Twilio answered with something other than success. */
export class TwilioRefusal extends Error {
  override readonly name = "TwilioRefusal";
  readonly status: number;
  /** Twilio's own error code, where its body could be read. */
  readonly code: number | undefined;
  readonly retryAfter: string | undefined;

  constructor(status: number, code: number | undefined, retryAfter: string | undefined) {
    super(`Twilio answered ${status}`);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** No connection came about, so nothing of the request was written. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
}

const OPTED_OUT_CODE = 21_610;
const TOO_MANY_REQUESTS_CODE = 20_429;

/** Codes about the number itself, put in words for whoever reads the log. */
const NUMBER_FAULTS: ReadonlyMap<number, string> = new Map([
  [21_211, "not a valid number"],
  [21_614, "not a mobile number"],
  [21_635, "a landline"],
]);

/**
 * | what happened | outcome |
 * |---|---|
 * | 21610 | opted_out |
 * | 429, 20429 | retry, throttled: not acted upon |
 * | no connection | retry: not acted upon |
 * | 401, 403 with no code of its own, or one of 20xxx | retry: the account is refused, not the message |
 * | other 4xx, such as 21211, 21614, 21635 | rejected |
 * | 408, 5xx, redirects, timeouts, resets once connected | unknown: it may have been sent |
 *
 * @throws the error itself if neither Twilio nor the network caused it.
 */
export function outcomeOfTwilioFailure(error: unknown, nowMs: number): Outcome {
  if (error instanceof TwilioRefusal) return outcomeOfRefusal(error, nowMs);
  if (error instanceof NotConnected) {
    return { kind: "retry", detail: `network ${networkFault(error.cause) ?? "not connected"}` };
  }
  const fault = networkFault(error);
  if (fault === undefined) throw error;
  return { kind: "unknown", detail: `network ${fault}` };
}

function outcomeOfRefusal(refusal: TwilioRefusal, nowMs: number): Outcome {
  const { status, code } = refusal;
  if (code === OPTED_OUT_CODE) return { kind: "opted_out" };
  const detail = code === undefined ? `http ${status}` : `http ${status}, twilio ${code}`;
  if (status === 429 || code === TOO_MANY_REQUESTS_CODE) {
    const afterMs = parseRetryAfter(refusal.retryAfter, nowMs);
    const asked = afterMs === undefined ? {} : { afterMs };
    return { kind: "retry", ...asked, throttled: true, detail };
  }
  if (status < 400 || status === 408 || status >= 500) return { kind: "unknown", detail };
  if (refusesAccount(refusal)) return { kind: "retry", detail };
  const fault = code === undefined ? undefined : NUMBER_FAULTS.get(code);
  return { kind: "rejected", detail: fault === undefined ? detail : `${detail}: ${fault}` };
}

/** Wrong credentials, a suspended account: codes 20xxx are the API's, those about messages 21xxx. */
function refusesAccount({ status, code }: TwilioRefusal): boolean {
  const isGeneral = code === undefined || (code >= 20_000 && code < 21_000);
  return (status === 401 || status === 403) && isGeneral;
}
