/** What the product's ledger holds, read straight from its Redis. */
import { Redis } from "ioredis";
import { z } from "zod";
import type { Keyspace } from "../../src/platform/keyspace.ts";

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

const noteSchema = z.tuple([z.string(), z.string(), z.string(), z.string()]);

export function openBooks(redisUrl: string, keyspace: Keyspace): Books {
  const redis = new Redis(redisUrl);
  // It is stopped and started on purpose; what is asked waits meanwhile.
  redis.on("error", () => {});

  return {
    async entries() {
      const found: Entry[] = [];
      let cursor = "0";
      do {
        const match = `${keyspace.prefix}{s*}:note:*`;
        const [next, keys] = await redis.scan(cursor, "MATCH", match, "COUNT", SCAN_COUNT);
        cursor = next;
        const notes = await Promise.all(
          keys.map((key) => redis.hmget(key, "user", "template", "status", "event")),
        );
        notes.forEach((note, at) => {
          const parsed = noteSchema.safeParse(note);
          if (!parsed.success) return;
          const [userId, templateId, status, eventId] = parsed.data;
          const id = (keys[at] ?? "").split(":note:")[1] ?? "";
          found.push({ id, userId, templateId, status, eventId });
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
