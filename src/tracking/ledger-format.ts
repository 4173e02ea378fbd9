/** Which form of the ledger a Redis holds, so that no process takes what it cannot read for nothing. */
import { LEDGER_FORMATS, formatMark, type FormatRange } from "../contract/versions.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";
import { sumOverShards } from "./shard-batches.ts";

/** What a newer version may have written and this one met. */
export type NewerThing = "note" | "outcome";

/** The forms that a process works with. */
export interface LedgerFormats {
  /** The newest that it reads. */
  readonly newest: number;
  /** What is written begins so: the mark of the newest form that every living process reads. */
  mark(): string;
  /** Something was left alone, as only a newer version can read it. */
  onNewer(what: NewerThing): void;
}

/** As one version by itself reads and writes, where nobody listens. */
export const OWN_FORMATS: LedgerFormats = {
  newest: LEDGER_FORMATS.newest,
  mark: () => formatMark(LEDGER_FORMATS.newest),
  onNewer: () => {},
};

/** The key that says which form the ledger is in: no process that cannot read it may start. */
export function formatKey(keyspace: Pick<Keyspace, "plain">): string {
  return keyspace.plain("format");
}

/**
 * Marks an empty ledger with the oldest form of today, and one whose older notes have all settled.
 * What had settled in an older form can no longer be asked about.
 * @returns a sentence for the operator if another form is in use; undefined if all is well
 */
export async function agreeOnLedgerFormat(
  deps: { readonly redis: Redis; readonly keyspace: Keyspace },
  formats: FormatRange = LEDGER_FORMATS,
): Promise<string | undefined> {
  const { redis, keyspace } = deps;
  const key = formatKey(keyspace);
  const stored = await redis.get(key);
  if (stored !== null && Number(stored) > formats.newest) {
    return (
      `This Redis is in use by a newer version of Schoolbell (ledger format ${stored}; ` +
      `this one reads up to ${formats.newest}).`
    );
  }
  if (stored !== null && Number(stored) >= formats.oldest) return undefined;
  const unsettled = await sumOverShards(redis, keyspace, (due) => ["zcard", due], "due");
  const untold = await sumOverShards(
    redis,
    keyspace,
    (outcomes) => ["xlen", outcomes],
    // Up to version 1.1; the name of today's stream is another, so that none of that version takes
    // its entries for broken ones.
    "outcomes",
  );
  if (unsettled + untold > 0) {
    return (
      `This Redis holds ${unsettled} unsettled notifications and ${untold} unsent outcomes of an ` +
      "older version of Schoolbell. Run that version, with its API stopped, until both are gone."
    );
  }
  await redis.set(key, formats.oldest);
  return undefined;
}

/** The forms for a command that changes notes: it writes the one that is in use; undefined if it cannot. */
export async function agreedFormats(
  deps: { readonly redis: Redis; readonly keyspace: Pick<Keyspace, "plain"> },
  { oldest, newest }: FormatRange = LEDGER_FORMATS,
): Promise<LedgerFormats | undefined> {
  const stored = Number((await deps.redis.get(formatKey(deps.keyspace))) ?? oldest);
  if (stored > newest) return undefined;
  const mark = formatMark(Math.max(stored, oldest));
  return { newest, mark: () => mark, onNewer: () => {} };
}

export interface LedgerFormatsOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Pick<Clock, "now">;
  readonly range?: FormatRange;
  /** What all living processes read, this one included. */
  readonly living: () => Promise<readonly { readonly reads: number }[]>;
  readonly onNewer: (what: NewerThing) => void;
}

/**
 * The forms as they are agreed on with all living processes. A newer one is written only once everybody
 * reads it, and once the key says so, after which no older version starts.
 */
export function createLedgerFormats(
  options: LedgerFormatsOptions,
): LedgerFormats & { refresh(): Promise<void> } {
  const { redis, keyspace, clock, living, range = LEDGER_FORMATS } = options;
  const key = formatKey(keyspace);
  /** Since when everybody reads more than the key says; epoch ms. */
  let readySince: number | undefined;
  let mark = formatMark(range.oldest);

  return {
    newest: range.newest,
    mark: () => mark,
    onNewer: options.onNewer,

    /**
     * The key is read first. Whoever starts tells of itself first and reads the key after that: so an
     * older version that is not seen here finds the new number there, and ends.
     */
    async refresh() {
      const agreed = Number(await redis.get(key));
      const reads = Math.min(range.newest, ...(await living()).map((one) => one.reads));
      readySince = agreed < reads ? (readySince ?? clock.now()) : undefined;
      const isTime = readySince !== undefined && clock.now() - readySince >= range.raiseAfterMs;
      if (isTime) await redis.set(key, reads);
      mark = formatMark(Math.max(range.oldest, Math.min(agreed, reads)));
    },
  };
}
