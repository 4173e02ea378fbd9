/** Keeps one submission that nothing can be done with from holding up those beside it. */
import type { Caller } from "../contract/caller.ts";
import type { Accept } from "./accept.ts";
import { isolatePoison, type Poison } from "./accept-faults.ts";
import type { Acceptance, Submission } from "./submission.ts";

export type { Poison };

/**
 * So many at once may be put aside on their word alone. What breaks every one (a bug, a script that
 * this Redis does not run) shows in whole chunks, and a topic must not drain into the dead letters at
 * full speed because of it.
 */
const FEW = 10;

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

  const isolate = (submissions: readonly Submission[], caller: Caller) =>
    isolatePoison<Submission, Acceptance>(submissions, async (part) => {
      const results = await accept(part, caller);
      // A refusal may come before Redis is asked anything.
      if (results.some(({ kind }) => kind !== "refused")) successes += 1;
      return results;
    });

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
    const results = [...(await isolate(submissions, caller))];
    const tried = results.filter(({ kind }) => kind !== "refused");
    const poisonous = tried.filter((result) => result.kind === "poison");
    const [first] = poisonous;
    const suspect = poisonous.length > FEW && poisonous.length === tried.length;
    if (first !== undefined && suspect && !othersAreTaken()) throw first.error;
    return results;
  };
}
