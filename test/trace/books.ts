/** What the product's ledger holds, read straight from its Redis. */
import { Redis } from "ioredis";
import { z } from "zod";
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { parseFacts, parseState, splitRecord } from "../../src/tracking/note-record.ts";

const SCAN_COUNT = 1_000;

/** One notification. */
export interface Entry {
  readonly id: string;
  readonly userId: string;
  readonly templateId: string;
  readonly status: string;
  /** Of the event that asked for it. */
  readonly eventId: string;
}

export interface Books {
  /** Every notification that came from an event. */
  entries(): Promise<Entry[]>;
  /** How many have not settled. */
  unsettled(): Promise<number>;
  close(): void;
}

const recordSchema = z.string();

export function openBooks(redisUrl: string, keyspace: Keyspace): Books {
  const redis = new Redis(redisUrl);
  // It is stopped and started on purpose; what is asked waits meanwhile.
  redis.on("error", () => {});

  return {
    async entries() {
      const found: Entry[] = [];
      let cursor = "0";
      do {
        const match = `${keyspace.prefix}{s*}:rec:*`;
        const [next, keys] = await redis.scan(cursor, "MATCH", match, "COUNT", SCAN_COUNT);
        cursor = next;
        const notes = await Promise.all(keys.map((key) => redis.get(key)));
        notes.forEach((note, at) => {
          const parsed = recordSchema.safeParse(note);
          if (!parsed.success) return;
          const record = splitRecord(parsed.data);
          if (record === undefined) throw new Error("a newer version wrote this ledger");
          const { facts, words } = record;
          const { user, template, event } = parseFacts(facts);
          // Only what came by an event is looked for.
          if (event === undefined) return;
          const { status } = parseState(words);
          const id = (keys[at] ?? "").split(":rec:")[1] ?? "";
          found.push({ id, userId: user, templateId: template, status, eventId: event });
        });
      } while (cursor !== "0");
      // A scan may tell of a key twice.
      return [...new Map(found.map((entry) => [entry.id, entry])).values()];
    },

    async unsettled() {
      const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);
      const open = await Promise.all(
        shards.map((shard) => redis.zcard(keyspace.sharded(shard, "due"))),
      );
      return open.reduce((sum, count) => sum + count, 0);
    },

    close: () => redis.disconnect(),
  };
}
