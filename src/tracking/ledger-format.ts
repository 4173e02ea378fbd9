/** Which form of the ledger a Redis holds, so that no process takes what it cannot read for nothing. */
import type { Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";
import { sumOverShards } from "./shard-batches.ts";

/** Raised when notes or outcomes are written in a form that processes of the version before cannot read. */
export const LEDGER_FORMAT = 3;

/**
 * Marks an empty ledger with the present form, and one whose notes have all settled. What had settled
 * in an older form can no longer be asked about.
 * @returns a sentence for the operator if another form is in use; undefined if all is well
 */
export async function agreeOnLedgerFormat(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
}): Promise<string | undefined> {
  const { redis, keyspace } = deps;
  const key = keyspace.plain("format");
  const stored = await redis.get(key);
  if (stored === String(LEDGER_FORMAT)) return undefined;
  if (stored !== null && Number(stored) > LEDGER_FORMAT) {
    return `This Redis is in use by a newer version of Schoolbell (ledger format ${stored}).`;
  }
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
  await redis.set(key, LEDGER_FORMAT);
  return undefined;
}
