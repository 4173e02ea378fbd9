/** Translates what an SMS gateway and the network answer into outcomes: can it have been acted upon? */
import { z } from "zod";
import type { Outcome } from "../channel.ts";
import { networkFault } from "../deadline.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { NotConnected } from "./errors.ts";

/** What a gateway may say in a refusal; anything else that it says is passed over. */
const refusalSchema = z.object({ error: z.string() });
const OPTED_OUT = "opted_out";
/** A word, so that no number or text can get into a log with it. */
const ERROR_WORD = /^[a-z][a-z_]{0,39}$/;

/** An answer other than 2xx. */
export interface GatewayRefusal {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | undefined;
}

/**
 * | status | outcome |
 * |---|---|
 * | 401, 403 | retry: it refuses us, and another provider may not |
 * | 429 | retry, throttled: not acted upon |
 * | 408, 5xx, redirects | unknown: it may have been sent |
 * | other 4xx | rejected; `{"error": "opted_out"}`: opted_out |
 */
export function outcomeOfGatewayRefusal(refusal: GatewayRefusal, nowMs: number): Outcome {
  const { status } = refusal;
  const said = refusalSchema.safeParse(refusal.body).data?.error ?? "";
  const detail = ERROR_WORD.test(said) ? `http ${status}, ${said}` : `http ${status}`;
  if (status < 400 || status === 408 || status >= 500) return { kind: "unknown", detail };
  if (status === 429) {
    const afterMs = parseRetryAfter(refusal.retryAfter, nowMs);
    const asked = afterMs === undefined ? {} : { afterMs };
    return { kind: "retry", ...asked, throttled: true, detail };
  }
  if (status === 401 || status === 403) return { kind: "retry", detail };
  return said === OPTED_OUT ? { kind: "opted_out" } : { kind: "rejected", detail };
}

/** @throws the error itself if the network did not cause it. */
export function outcomeOfGatewayFailure(error: unknown): Outcome {
  if (error instanceof NotConnected) {
    return { kind: "retry", detail: `network ${networkFault(error.cause) ?? "not connected"}` };
  }
  const fault = networkFault(error);
  if (fault === undefined) throw error;
  return { kind: "unknown", detail: `network ${fault}` };
}
