/** One deadline over a whole request to a provider: connecting, writing and the answer's head. */
import { errors } from "undici";
import type { Clock } from "../platform/clock.ts";

/** The name of the error that `withDeadline` aborts with. */
const DEADLINE_ERROR = "TimeoutError";

/** Runs `send` with a signal that aborts after `timeoutMs`; rejects as `send` does. */
export async function withDeadline<T>(
  clock: Pick<Clock, "after">,
  timeoutMs: number,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const cancel = clock.after(timeoutMs, () =>
    controller.abort(new DOMException("no answer in time", DEADLINE_ERROR)),
  );
  try {
    return await send(controller.signal);
  } finally {
    cancel();
  }
}

/** Whether an error is a passed deadline. */
function isDeadline(error: unknown): boolean {
  return error instanceof Error && error.name === DEADLINE_ERROR;
}

/** A stable word for a failure of the network, such as `ECONNRESET`; undefined for anything else. */
export function networkFault(error: unknown): string | undefined {
  if (isDeadline(error)) return "timeout";
  // It has no code, unlike all others, and speaks of bytes that came: no fault of ours.
  if (error instanceof errors.HTTPParserError) return "no_http";
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") {
    return undefined;
  }
  // Wrong arguments have codes too, but are bugs and must surface as such.
  return /^(UND_ERR_INVALID|ERR_INVALID_(ARG|CHAR|HTTP_TOKEN))/.test(error.code)
    ? undefined
    : error.code;
}
