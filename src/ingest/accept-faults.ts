/** Tells whose fault it is that submissions are not taken, and finds the one that is to blame. */
import { Problem, PROBLEMS } from "../platform/problems.ts";
import { isRedisUnavailable } from "../platform/redis-failure.ts";

/** A submission that makes accept fail by itself. */
export interface Poison {
  readonly kind: "poison";
  readonly error: unknown;
}

/**
 * What Redis says of itself or of our rights, whatever it was asked: no submission is to blame.
 * Redis 7 words it in sentences where a script ran into it, with codes of their own only outside of
 * scripts.
 */
const SERVER_REFUSAL =
  /^(?:NOPERM|NOAUTH|WRONGPASS|DENIED|MOVED|ASK|CROSSSLOT|NOSCRIPT|ERR (?:unknown (?:sub)?command|Unknown Redis command|ACL failure|The user executing the script|Error compiling script|max number of clients))\b/i;

function isServerRefusal(error: unknown): boolean {
  return (
    error instanceof Error && error.name === "ReplyError" && SERVER_REFUSAL.test(error.message)
  );
}

/** True when none of the submissions is at fault, and trying again later can help. */
function isNobodysFault(error: unknown): boolean {
  if (error instanceof Problem) return PROBLEMS[error.code].retryable;
  return isRedisUnavailable(error) || isServerRefusal(error);
}

/**
 * Takes items together. What fails for a reason of its own is halved until what makes it fail stands
 * alone, so some are taken more than once: `take` must make no second notification of them.
 * @returns in the order given
 * @throws what `take` throws when nothing can be taken now.
 */
export async function isolatePoison<T, R>(
  items: readonly T[],
  take: (items: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly (R | Poison)[]> {
  try {
    return await take(items);
  } catch (error) {
    if (isNobodysFault(error)) throw error;
    if (items.length === 1) return [{ kind: "poison", error }];
    const middle = Math.ceil(items.length / 2);
    // One half after the other: a user's notifications keep their order.
    const before = await isolatePoison(items.slice(0, middle), take);
    const after = await isolatePoison(items.slice(middle), take);
    return [...before, ...after];
  }
}
