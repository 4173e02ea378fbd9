/** Tokens that were verified a moment ago, known by their digest: verifying costs more than remembering. */
import type { Caller } from "../contract/caller.ts";
import type { Clock } from "../platform/clock.ts";

/** Clocks of issuers differ a little from ours. */
export const SKEW_SECONDS = 30;
/** One per active user of a large gateway process; 0.4 KB each. */
const MAX_CACHED_TOKENS = 20_000;
/** Looked at with each new one: so those that ran out go sooner than others come. */
const LOOKED_AT = 2;
const SECOND_MS = 1_000;

export interface VerifiedTokens {
  /** Whose token it is, while it lives. */
  find(digest: string): Caller | undefined;
  keep(digest: string, caller: Caller): void;
  readonly size: number;
}

export function createVerifiedTokens(clock: Pick<Clock, "now">): VerifiedTokens {
  /** In order of last use: a Map keeps insertion order, and a hit is inserted again. */
  const callers = new Map<string, Caller>();

  const lives = ({ expiresAt }: Caller): boolean =>
    clock.now() < expiresAt + SKEW_SECONDS * SECOND_MS;

  /** Without this, tokens of an hour ago would fill the memory of a process up to its limit. */
  function letGo(): void {
    for (let looked = 0; looked < LOOKED_AT; looked += 1) {
      const oldest = callers.entries().next();
      if (oldest.done === true) return;
      const [digest, caller] = oldest.value;
      if (callers.size <= MAX_CACHED_TOKENS && lives(caller)) return;
      callers.delete(digest);
    }
  }

  return {
    find(digest) {
      const caller = callers.get(digest);
      if (caller === undefined) return undefined;
      callers.delete(digest);
      if (!lives(caller)) return undefined;
      callers.set(digest, caller);
      return caller;
    },
    keep(digest, caller) {
      callers.set(digest, caller);
      letGo();
    },
    get size() {
      return callers.size;
    },
  };
}
