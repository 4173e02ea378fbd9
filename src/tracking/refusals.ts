/**
 * Refused requests in the audit trail. Anyone can cause them, as many as they like: so equal ones are
 * counted here and written as one entry, to streams of their own where they push out nothing else.
 */
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import { auditFields } from "./audit.ts";

const MAX_ENTRIES_PER_SHARD = 10_000;
/** A first refusal shows after this time; further ones like it when their minute is over. */
const FLUSH_MS = 250;
const MINUTE_MS = 60_000;
/** Kinds of refusal told apart at a time, counted for callers and for addresses on their own. */
const MAX_TALLIES = 1_000;
/** Stands for all beyond that: who can use many addresses must not fill memory or the trail. */
const OTHERS = "others";

export interface Refusal {
  readonly action: "rejected" | "security_alert";
  readonly code?: string;
  /** The route's pattern, of which there are few. */
  readonly path?: string;
  /** Whose valid token it was; without one, the address. */
  readonly who: { readonly caller: string } | { readonly address: string };
}

export interface Refusals {
  /** Counts one; it is written a little later. */
  record(refusal: Refusal): void;
  /** Writes what is counted; once this resolves, everything recorded before is in the trail. */
  close(): Promise<void>;
}

/** The actions that are found in these streams and in no other. */
export const REFUSAL_ACTIONS: ReadonlySet<string> = new Set<Refusal["action"]>([
  "rejected",
  "security_alert",
]);

export function refusalsKey(keyspace: Pick<Keyspace, "sharded">, shard: number): string {
  return keyspace.sharded(shard, "refusals");
}

interface Tally {
  readonly refusal: Refusal;
  readonly minute: number;
  /** Not written yet. */
  count: number;
  lastAt: number;
  /** An entry of this minute is written already. */
  shown: boolean;
}

type Side = "caller" | "address";

function withWho(refusal: Refusal, side: Side, name: string): Refusal {
  return { ...refusal, who: side === "caller" ? { caller: name } : { address: name } };
}

export function createRefusals(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "warn">;
}): Refusals {
  const { redis, keyspace, clock, logger } = deps;
  const tallies: Record<Side, Map<string, Tally>> = { caller: new Map(), address: new Map() };
  let writing: Promise<void> = Promise.resolve();

  function record(refusal: Refusal): void {
    const at = clock.now();
    const minute = Math.floor(at / MINUTE_MS);
    const [side, name]: [Side, string] =
      "caller" in refusal.who ? ["caller", refusal.who.caller] : ["address", refusal.who.address];
    const known = tallies[side];
    const keyFor = (who: string): string =>
      JSON.stringify([minute, refusal.action, refusal.code, refusal.path, who]);
    const full = known.size >= MAX_TALLIES && !known.has(keyFor(name));
    const key = keyFor(full ? OTHERS : name);
    const counted = full ? withWho(refusal, side, OTHERS) : refusal;
    const tally = known.get(key) ?? {
      refusal: counted,
      minute,
      count: 0,
      lastAt: at,
      shown: false,
    };
    tally.count += 1;
    tally.lastAt = at;
    known.set(key, tally);
  }

  /** What is due now is taken off the tallies, so that nothing is written twice. */
  function takeDue(all: boolean): { tally: Tally; count: number }[] {
    const minute = Math.floor(clock.now() / MINUTE_MS);
    const due: { tally: Tally; count: number }[] = [];
    for (const known of Object.values(tallies)) {
      for (const [key, tally] of known) {
        const over = tally.minute < minute;
        if (tally.count > 0 && (all || over || !tally.shown)) {
          due.push({ tally, count: tally.count });
          tally.count = 0;
          tally.shown = true;
        }
        if (over) known.delete(key);
      }
    }
    return due;
  }

  async function write(due: readonly { tally: Tally; count: number }[]): Promise<void> {
    if (due.length === 0) return;
    try {
      await runForEach(redis, due, ({ tally, count }) => {
        const { who, ...entry } = tally.refusal;
        const shard = keyspace.shardOfUser("caller" in who ? who.caller : who.address);
        const fields = auditFields({ ...entry, ...who, count }, tally.lastAt);
        const key = refusalsKey(keyspace, shard);
        return ["xadd", key, "MAXLEN", "~", MAX_ENTRIES_PER_SHARD, "*", ...fields];
      });
    } catch (error) {
      // Each refusal has its line in the log; keeping them here could grow for as long as Redis is away.
      logger.warn({ err: error, entries: due.length }, "audit.refusals_not_written");
    }
  }

  async function flush(all: boolean): Promise<void> {
    const due = takeDue(all);
    writing = writing.then(() => write(due));
    await writing;
  }

  const cancel: Cancel = clock.every(FLUSH_MS, () => void flush(false));
  return {
    record,
    async close() {
      cancel();
      await flush(true);
    },
  };
}
