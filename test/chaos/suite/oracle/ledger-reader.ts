/** What the ledger holds, read straight from Redis or a Redis Cluster, past the product's own reading. */
import { Cluster } from "ioredis";
import { z } from "zod";
import type { Keyspace } from "../../../../src/platform/keyspace.ts";
import type { Redis } from "../../../../src/platform/redis.ts";
import { auditKey, readStreamEntry } from "../../../../src/tracking/audit.ts";
import { parseNote } from "../../../../src/tracking/note-record.ts";
import { recordOf } from "../../../../src/tracking/stream-fields.ts";
import { viewDetail } from "../../../../src/tracking/view.ts";
import type { AuditLine, StatedNote, Statement } from "../evidence.ts";

/** One server, or all of a cluster. */
export interface LedgerStore {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
}

export interface ReadNotes {
  readonly notes: readonly StatedNote[];
  /** Says whether any note changed between two readings. */
  readonly fingerprint: string;
}

const SCAN_COUNT = 1_000;
const PAGE = 1_000;

const placeReply = z.tuple([z.string().nullable(), z.string().nullable()]);

/** All notes, also those that nobody knows to have asked for. */
export async function readNotes({ redis, keyspace }: LedgerStore): Promise<ReadNotes> {
  const nodes = redis instanceof Cluster ? redis.nodes("master") : [redis];
  // A scan may tell of a key twice.
  const keys = new Set<string>();
  for (const node of nodes) {
    let cursor = "0";
    do {
      const match = `${keyspace.prefix}{s*}:rec:*`;
      const [next, found] = await node.scan(cursor, "MATCH", match, "COUNT", SCAN_COUNT);
      for (const key of found) keys.add(key);
      cursor = next;
    } while (cursor !== "0");
  }
  const read = await Promise.all(
    [...keys].toSorted().map(async (key) => {
      const record = await redis.get(key);
      return record === null ? [] : [readNote(key.split(":rec:")[1] ?? "", record)];
    }),
  );
  const all = read.flat();
  return {
    notes: all.map(({ note }) => note),
    fingerprint: all.map(({ note, version }) => `${note.notification_id} ${version}`).join("\n"),
  };
}

function readNote(id: string, record: string) {
  // What it said is sealed, and nobody's business here.
  const note = parseNote(id, record, () => "");
  if (note === undefined) throw new Error(`${id} is written as a later version does`);
  const { eventId, notificationType, epoch, sendAt, version } = note;
  const stated: StatedNote = {
    ...viewDetail(note),
    eventId: eventId ?? undefined,
    notificationType,
    epoch: epoch ?? undefined,
    sendAt: sendAt ?? undefined,
  };
  return { note: stated, version };
}

/** The audit trail of all shards, each in its order; refused requests have a trail of their own. */
export async function readAudit({ redis, keyspace }: LedgerStore): Promise<AuditLine[]> {
  const lines: AuditLine[] = [];
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    let from = "-";
    for (;;) {
      const page = await redis.xrange(auditKey(keyspace, shard), from, "+", "COUNT", PAGE);
      for (const [, fields] of page) {
        for (const entry of readStreamEntry(recordOf(fields))) {
          lines.push({ event: entry["action"] ?? "", notificationId: entry["notification_id"] });
        }
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      from = `(${last[0]}`;
    }
  }
  return lines;
}

/** Entries left in the due index. */
export async function readUnsettled({ redis, keyspace }: LedgerStore): Promise<number> {
  const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);
  const open = await Promise.all(
    shards.map((shard) => redis.zcard(keyspace.sharded(shard, "due"))),
  );
  return open.reduce((sum, count) => sum + count, 0);
}

/** Where the histories of these people stand; who never had a message is left out. */
export async function readPositions(
  { redis, keyspace }: LedgerStore,
  people: readonly string[],
): Promise<Statement["positions"]> {
  const positions = new Map<string, { epoch: string; replayId: number }>();
  await Promise.all(
    people.map(async (userId) => {
      const key = keyspace.sharded(keyspace.shardOfUser(userId), `meta:${userId}`);
      const [epoch, last] = placeReply.parse(await redis.hmget(key, "epoch", "last"));
      if (epoch !== null) positions.set(userId, { epoch, replayId: Number(last) });
    }),
  );
  return positions;
}
