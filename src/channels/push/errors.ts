/** Translates what push services (RFC 8030) and the network answer into outcomes. */
import { networkFault } from "../deadline.ts";
import type { Outcome } from "../channel.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { CLOSED_ADDRESS } from "./checked-lookup.ts";

/** The push service does not take our identity (RFC 8292, section 4.2): no browser is to blame. */
export function isKeyRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/**
 * | status | outcome |
 * |---|---|
 * | 200, 201, 202 and other 2xx | delivered |
 * | 404, 410 | gone: the subscription will not come back |
 * | 408, 5xx | retry, no sooner than `Retry-After` asks |
 * | 429 | the same, throttled: it says nothing against the service |
 * | 401, 403 | rejected: our keys are at fault (`isKeyRefusal`), the subscription stays |
 * | the rest: 400, 413, redirects | rejected: the same request would fail again |
 */
export function outcomeOfAnswer(
  status: number,
  retryAfter: string | string[] | undefined,
  nowMs: number,
): Outcome {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 404 || status === 410) return { kind: "gone" };
  const detail = `http ${status}`;
  if (status !== 408 && status !== 429 && status < 500) return { kind: "rejected", detail };
  const afterMs = parseRetryAfter([retryAfter].flat()[0], nowMs);
  return {
    kind: "retry",
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(status === 429 ? { throttled: true } : {}),
    detail,
  };
}

/**
 * A push that met no answer may be sent again: its topic makes the second replace the first.
 * @throws the error itself if the network did not cause it.
 */
export function outcomeOfFailure(error: unknown): Outcome {
  const fault = networkFault(error);
  if (fault === undefined) throw error;
  if (fault === CLOSED_ADDRESS) return { kind: "rejected", detail: "closed_address" };
  return { kind: "retry", detail: `network ${fault}` };
}
