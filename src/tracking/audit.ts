/** The audit trail: who sent what to whom, and what came of it. Never the payload. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";

const MAX_ENTRIES_PER_SHARD = 100_000;

export const auditEntrySchema = z.object({
  at: z.string().describe("RFC 3339"),
  action: z.string().describe("accepted, settled, late, rejected, subscribed, preferences ..."),
  result: z.string().optional(),
  notification_id: z.string().optional(),
  caller: z.string().optional(),
  user_id: z.string().optional(),
  template_id: z.string().optional(),
  channels: z.string().optional(),
  code: z.string().optional(),
  path: z.string().optional(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export interface AuditQuery {
  /** Epoch ms, inclusive. */
  readonly from: number;
  readonly to: number;
  readonly userId: string | undefined;
  readonly notificationId: string | undefined;
  readonly limit: number;
}

export interface Audit {
  /** Adds an entry that is about no single notification. */
  add(entry: Omit<AuditEntry, "at">): Promise<void>;
  /** Newest first. */
  read(query: AuditQuery): Promise<AuditEntry[]>;
}

const streamReply = z.array(z.tuple([z.string(), z.array(z.string())]));

/** The ledger's scripts write their entries with the time of the clock they are given. */
function parseEntry(fields: readonly string[]): { at: number; entry: AuditEntry } {
  const record: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index];
    const value = fields[index + 1];
    if (name !== undefined && value !== undefined) record[name] = value;
  }
  const at = Number(record["at"] ?? 0);
  return { at, entry: auditEntrySchema.parse({ ...record, at: new Date(at).toISOString() }) };
}

export function createAudit(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
}): Audit {
  const { redis, keyspace, clock } = deps;
  const keyOf = (shard: number): string => keyspace.sharded(shard, "audit");

  return {
    async add(entry) {
      const shard = keyspace.shardOfUser(entry.user_id ?? entry.caller ?? "");
      const fields = Object.entries(entry).flatMap(([name, value]) =>
        value === undefined ? [] : [name, value],
      );
      await redis.xadd(
        keyOf(shard),
        "MAXLEN",
        "~",
        MAX_ENTRIES_PER_SHARD,
        "*",
        "at",
        clock.now(),
        ...fields,
      );
    },

    async read(query) {
      const all = Array.from({ length: keyspace.shards }, (_, shard) => shard);
      const shards = query.userId === undefined ? all : [keyspace.shardOfUser(query.userId)];
      // A filter is applied here, so that more is read than returned; the streams are bounded.
      const filtered = query.userId !== undefined || query.notificationId !== undefined;
      const count = filtered ? MAX_ENTRIES_PER_SHARD : query.limit;
      const pipeline = redis.pipeline();
      for (const shard of shards) pipeline.xrevrange(keyOf(shard), "+", "-", "COUNT", count);
      const found: { at: number; entry: AuditEntry }[] = [];
      for (const [error, reply] of (await pipeline.exec()) ?? []) {
        if (error) throw error;
        for (const [, fields] of streamReply.parse(reply)) found.push(parseEntry(fields));
      }
      return found
        .filter(({ at, entry }) => {
          if (at < query.from || at > query.to) return false;
          if (query.userId !== undefined && entry.user_id !== query.userId) return false;
          return (
            query.notificationId === undefined || entry.notification_id === query.notificationId
          );
        })
        .sort((a, b) => b.at - a.at)
        .slice(0, query.limit)
        .map(({ entry }) => entry);
    },
  };
}
