/** Keeps one submission that nothing can be done with from holding up those beside it. */
import type { Caller } from "../contract/caller.ts";
import { Problem, PROBLEMS } from "../platform/problems.ts";
import { isRedisUnavailable } from "../platform/redis-failure.ts";
import type { Accept } from "./accept.ts";
import type { Acceptance, Submission } from "./submission.ts";

/** A submission that makes accept fail by itself. */
export interface Poison {
  readonly kind: "poison";
  readonly error: unknown;
}

/** True when trying again later can help. */
function isTransient(error: unknown): boolean {
  if (error instanceof Problem) return PROBLEMS[error.code].retryable;
  return isRedisUnavailable(error);
}

/** Redis refused it for a reason of its own: rights, a full cluster slot, a key of another type. */
function isRedisRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/**
 * As `accept`, in the order given. What fails for another reason than that nothing can be taken now
 * is halved until what makes it fail stands alone. Their event ids make it harmless that some of them
 * are accepted more than once meanwhile.
 * @throws what `accept` throws when nothing can be taken now: it may be given all of them again.
 */
export async function acceptIsolated(
  accept: Accept,
  submissions: readonly Submission[],
  caller: Caller,
): Promise<(Acceptance | Poison)[]> {
  if (submissions.length === 0) return [];
  const results = await isolate(accept, submissions, caller);
  const [first] = results;
  // All of them at once: then the fault is not theirs, and none may be given up.
  if (first?.kind === "poison" && isRedisRefusal(first.error)) {
    if (results.every(({ kind }) => kind === "poison")) throw first.error;
  }
  return results;
}

async function isolate(
  accept: Accept,
  submissions: readonly Submission[],
  caller: Caller,
): Promise<(Acceptance | Poison)[]> {
  try {
    return await accept(submissions, caller);
  } catch (error) {
    if (isTransient(error)) throw error;
    if (submissions.length === 1) return [{ kind: "poison", error }];
    const middle = Math.ceil(submissions.length / 2);
    // One half after the other: a user's notifications keep their order.
    const before = await isolate(accept, submissions.slice(0, middle), caller);
    const after = await isolate(accept, submissions.slice(middle), caller);
    return [...before, ...after];
  }
}
