/**
 * Sends what the ledger put down for other services, shard by shard and in order, and takes it away
 * only once it is sent. So everything is sent at least once; a repetition carries the same id.
 * What a newer version put down, and only that can read, is left to its relays, with all behind it.
 */
import { z } from "zod";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { OutgoingRecord } from "../platform/kafka/records.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { loadScript, runForEach, type Redis } from "../platform/redis.ts";
import { OWN_FORMATS, type LedgerFormats } from "./ledger-format.ts";
import { outcomeRecordsOf, outcomesKey } from "./outcome-entries.ts";

/** Entries sent at a time, over all shards, of two events at most: about 8 MB of this process' memory. */
const MAX_IN_FLIGHT = 4_000;
const MAX_BATCH = 250;
const DEFAULT_INTERVAL_MS = 250;
/** Of a process that died, the shards lie idle for so long. */
const DEFAULT_LEASE_MS = 10_000;
const MAX_BACKOFF_MS = 10_000;
/** A stop has ten seconds for everything, and what is not sent by then is sent by others. */
const CLOSE_WAIT_MS = 3_000;

export interface OutcomeRelayOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  /** This process: of several, one at a time sends a shard's outcomes, or their order would be lost. */
  readonly nodeId: string;
  /** Resolves once all replicas have the records; keeps the order of equal keys. */
  readonly send: (records: readonly OutgoingRecord[]) => Promise<void>;
  /** Of how many steps others are yet to be told, over all shards. */
  readonly onBacklog: (count: number) => void;
  readonly formats?: LedgerFormats | undefined;
  readonly intervalMs?: number;
  readonly leaseMs?: number;
}

export interface OutcomeRelay {
  start(): void;
  /** Sends all that waits where no other process does; resolves with how many events that were. */
  poll(): Promise<number>;
  /** Finishes what is being sent, unless Kafka is silent, and leaves the rest to others. */
  close(): Promise<void>;
}

interface Entry {
  readonly id: string;
  readonly fields: readonly string[];
}

const pageReply = z.array(z.tuple([z.string(), z.array(z.string())]));
const lengthReply = z.number().int();

/** The first id behind this one. */
function idAfter(entryId: string): string {
  const [ms = "0", sequence = "0"] = entryId.split("-");
  return `${ms}-${BigInt(sequence) + 1n}`;
}

export function createOutcomeRelay(options: OutcomeRelayOptions): OutcomeRelay {
  const { redis, keyspace, clock, logger, nodeId, send, formats = OWN_FORMATS } = options;
  const intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
  const leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
  const leaseScript = loadScript(redis, "outcomeLease", [
    new URL("lua/relay-lease.lua", import.meta.url),
  ]);
  const batch = Math.min(MAX_BATCH, Math.ceil(MAX_IN_FLIGHT / keyspace.shards));
  const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);
  const held = new Set<number>();
  /** Shards that are left to newer versions, and until when; epoch ms. */
  const left = new Map<number, number>();
  let running: Promise<number> | undefined;
  let cancel: Cancel | undefined;
  let failures = 0;
  let closing = false;

  async function lease(shard: number, forMs: number): Promise<boolean> {
    const mine = (await leaseScript([keyspace.sharded(shard, "relay")], [nodeId, forMs])) === 1;
    if (mine) held.add(shard);
    else held.delete(shard);
    return mine;
  }

  /** One that cannot be read never could be: it must not hold up those behind it. */
  function recordsOf(shard: number, { id, fields }: Entry): OutgoingRecord[] | undefined {
    try {
      return outcomeRecordsOf(shard, id, fields, formats.newest);
    } catch (error) {
      logger.error({ err: error, shard, entry: id }, "an outcome is not what the ledger writes");
      return [];
    }
  }

  /** What the entries say, up to the first that only a newer version can read. */
  function read(shard: number, page: readonly Entry[]) {
    const records: OutgoingRecord[] = [];
    let last: string | undefined;
    for (const entry of page) {
      const more = recordsOf(shard, entry);
      if (more === undefined) return { records, last, isNewer: true };
      records.push(...more);
      last = entry.id;
    }
    return { records, last, isNewer: false };
  }

  /** Lets others have a shard: of any that can read on, one takes it before it is asked for here again. */
  async function leave(shard: number): Promise<void> {
    formats.onNewer("outcome");
    left.set(shard, clock.now() + leaseMs);
    await lease(shard, 0);
  }

  async function sendKeepingLease(shard: number, records: OutgoingRecord[]): Promise<void> {
    const stop = clock.every(leaseMs / 3, () => {
      // Redis is away: should another process begin to send, ids tell what was sent before.
      lease(shard, leaseMs).catch(() => {});
    });
    await send(records).finally(stop);
  }

  async function relayShard(shard: number): Promise<number> {
    const key = outcomesKey(keyspace, shard);
    let sent = 0;
    for (;;) {
      if (closing || !(await lease(shard, leaseMs))) break;
      const page = pageReply.parse(await redis.xrange(key, "-", "+", "COUNT", batch));
      const entries = page.map(([id, fields]) => ({ id, fields }));
      const { records, last, isNewer } = read(shard, entries);
      if (records.length > 0) await sendKeepingLease(shard, records);
      // By id: what another process has taken away meanwhile is gone, and what is new stays.
      if (last !== undefined) await redis.xtrim(key, "MINID", idAfter(last));
      sent += records.length;
      if (isNewer) {
        await leave(shard);
        break;
      }
      if (page.length < batch) break;
    }
    return sent;
  }

  async function backlogs(): Promise<number[]> {
    const replies = await runForEach(redis, shards, (shard) => [
      "xlen",
      outcomesKey(keyspace, shard),
    ]);
    return replies.map((reply) => lengthReply.parse(reply));
  }

  async function look(): Promise<number> {
    const waiting = await backlogs();
    options.onBacklog(waiting.reduce((sum, count) => sum + count, 0));
    const now = clock.now();
    const busy = shards.filter(
      (shard) => (waiting[shard] ?? 0) > 0 && (left.get(shard) ?? 0) <= now,
    );
    const results = await Promise.allSettled(busy.map(relayShard));
    let sent = 0;
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
      sent += result.value;
    }
    return sent;
  }

  async function poll(): Promise<number> {
    running ??= look().finally(() => {
      running = undefined;
    });
    return await running;
  }

  async function turn(): Promise<void> {
    try {
      await poll();
      if (failures > 0) logger.info({ failures }, "outcomes are sent again");
      failures = 0;
    } catch (error) {
      if (failures === 0) logger.warn({ err: error }, "outcomes cannot be sent now; they are kept");
      failures += 1;
    }
    schedule();
  }

  function schedule(): void {
    if (closing) return;
    const delayMs = Math.min(intervalMs * 2 ** Math.min(failures, 10), MAX_BACKOFF_MS);
    cancel = clock.after(delayMs, () => void turn());
  }

  /** Resolves false if Kafka has not answered in time. */
  async function hasFinished(): Promise<boolean> {
    const silence = Promise.withResolvers<false>();
    const stopWaiting = clock.after(CLOSE_WAIT_MS, () => silence.resolve(false));
    const finished = Promise.resolve(running).then(
      () => true,
      () => true,
    );
    return await Promise.race([finished, silence.promise]).finally(stopWaiting);
  }

  return {
    poll,
    start: schedule,
    async close() {
      closing = true;
      cancel?.();
      // While a send is under way the lease is left to run out, so that nobody sends beside it.
      if (!(await hasFinished())) return;
      await Promise.all([...held].map((shard) => lease(shard, 0).catch(() => false)));
    },
  };
}
