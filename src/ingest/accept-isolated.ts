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

/**
 * So many at once may be put aside on their word alone. What breaks every one (a bug, a script that
 * this Redis does not run) shows in whole chunks, and a topic must not drain into the dead letters at
 * full speed because of it.
 */
const FEW = 10;

/**
 * What Redis says of itself or of our rights, whatever it was asked: no record is to blame. Redis 7
 * words it in sentences where a script ran into it, with codes of their own only outside of scripts.
 */
const SERVER_REFUSAL =
  /^(?:NOPERM|NOAUTH|WRONGPASS|DENIED|MOVED|ASK|CROSSSLOT|NOSCRIPT|ERR (?:unknown (?:sub)?command|Unknown Redis command|ACL failure|The user executing the script|Error compiling script|max number of clients))\b/i;

function isServerRefusal(error: unknown): boolean {
  return (
    error instanceof Error && error.name === "ReplyError" && SERVER_REFUSAL.test(error.message)
  );
}

/** True when none of them is at fault, and trying again later can help. */
function isNobodysFault(error: unknown): boolean {
  if (error instanceof Problem) return PROBLEMS[error.code].retryable;
  return isRedisUnavailable(error) || isServerRefusal(error);
}

export interface IsolatedAccept {
  /**
   * As `accept`, in the order given. What fails for a reason of its own is halved until what makes it
   * fail stands alone. Their event ids make it harmless that some are accepted more than once.
   * @throws what `accept` throws when nothing can be taken now, or when more than a few were given,
   *   all of them fail, and nothing else shows that any could be taken: give it all of them again.
   */
  (submissions: readonly Submission[], caller: Caller): Promise<(Acceptance | Poison)[]>;
}

export function createIsolatedAccept(accept: Accept): IsolatedAccept {
  /** Calls of accept that took something. */
  let successes = 0;
  /** As many as there were when a whole chunk last failed. */
  let successesAtDoubt = Number.POSITIVE_INFINITY;

  async function isolate(
    submissions: readonly Submission[],
    caller: Caller,
  ): Promise<(Acceptance | Poison)[]> {
    try {
      const results = await accept(submissions, caller);
      // A refusal may come before Redis is asked anything.
      if (results.some(({ kind }) => kind !== "refused")) successes += 1;
      return results;
    } catch (error) {
      if (isNobodysFault(error)) throw error;
      if (submissions.length === 1) return [{ kind: "poison", error }];
      const middle = Math.ceil(submissions.length / 2);
      // One half after the other: a user's notifications keep their order.
      const before = await isolate(submissions.slice(0, middle), caller);
      const after = await isolate(submissions.slice(middle), caller);
      return [...before, ...after];
    }
  }

  /**
   * Whether something was taken since a whole chunk failed: then the fault is in those that still
   * fail. It comes from another partition, or, since a paused one is read anew, from behind them.
   * Each success speaks for one chunk only: what works now and then drains nothing at full speed.
   */
  function othersAreTaken(): boolean {
    const taken = successes > successesAtDoubt;
    successesAtDoubt = successes;
    return taken;
  }

  return async (submissions, caller) => {
    if (submissions.length === 0) return [];
    const results = await isolate(submissions, caller);
    const tried = results.filter(({ kind }) => kind !== "refused");
    const poisonous = tried.filter((result) => result.kind === "poison");
    const [first] = poisonous;
    const suspect = poisonous.length > FEW && poisonous.length === tried.length;
    if (first !== undefined && suspect && !othersAreTaken()) throw first.error;
    return results;
  };
}
