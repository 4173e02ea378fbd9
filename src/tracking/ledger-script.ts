/** How the ledger's scripts are run: shared functions in front of each, shared arguments first. */
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { loadScript, type ScriptArgument, type Redis } from "../platform/redis.ts";
import { OWN_FORMATS, type LedgerFormats } from "./ledger-format.ts";

const NOTE_SECONDS = 30 * 86_400;
const SECOND_MS = 1_000;

export interface LedgerScriptDeps {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Pick<Clock, "now">;
  /** Whether each change that other services are told of is put down for the relay. */
  readonly outcomes: boolean;
  /** How long a settled note can be asked about, and a failed one sent again. Left out: 30 days. */
  readonly noteSeconds?: number | undefined;
  /** Left out: as this version has them. */
  readonly formats?: LedgerFormats | undefined;
  /**
   * One call for each shard, as a Redis Cluster needs. Left out: as the connection is. On a single
   * Redis one call takes notes of many shards, or small batches would fall into one call per note.
   */
  readonly apart?: boolean | undefined;
}

/** Runs on the shard of the first note; in a Redis Cluster all notes of a call are of that shard. */
export type RunLedgerScript = (shard: number, args: readonly ScriptArgument[]) => Promise<unknown>;

const fileOf = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** In front of each script, in this order. */
const SHARED_PARTS = ["audit", "call", "change", "record"];

/** What a script is made of. */
export function ledgerScriptFiles(name: string): URL[] {
  return [...SHARED_PARTS, name].map(fileOf);
}

export function loadLedgerScript(deps: LedgerScriptDeps, name: string): RunLedgerScript {
  const { redis, keyspace, clock } = deps;
  const script = loadScript(redis, `ledger_${name}`, ledgerScriptFiles(name));
  const { newest } = deps.formats ?? OWN_FORMATS;
  const flags = `${deps.outcomes ? 1 : 0} ${newest}`;
  const keepMs = (deps.noteSeconds ?? NOTE_SECONDS) * SECOND_MS;
  return async (shard, args) => {
    const shared = [keyspace.prefix, clock.now(), keepMs, flags];
    return await script([keyspace.sharded(shard, "due")], [...shared, ...args]);
  };
}
