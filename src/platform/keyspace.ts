/** Names of Redis keys and channels, and which slice (shard) of the users a key belongs to. */
import { createHash, randomUUID } from "node:crypto";

export interface Keyspace {
  readonly shards: number;
  readonly prefix: string;
  /** All ledger keys of a user share one shard, so that one script can touch them together. */
  shardOfUser(userId: string): number;
  /** The first byte of a notification id is its shard. `undefined` if the id is not one of ours. */
  shardOfNote(noteId: string): number | undefined;
  /** A new notification id for this user: a UUIDv8 whose first byte is the shard. */
  newNoteId(userId: string): string;
  /** `{sN}:name`, with the prefix in front. The braces are Redis Cluster's hash tag. */
  sharded(shard: number, name: string): string;
  /** A key or channel outside the shards. */
  plain(name: string): string;
}

const NOTE_ID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** One byte of the id holds the shard. */
export const MAX_SHARDS = 256;

/** FNV-1a, 32 bits: short, well spread over short strings, and no allocation. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  // The low bits of FNV-1a are its weakest; fold the high half in before the modulo.
  return ((hash >>> 16) ^ hash) >>> 0;
}

/** @throws RangeError if `shards` is not 1 to 256. */
export function createKeyspace(options: { shards: number; prefix: string }): Keyspace {
  const { shards, prefix } = options;
  if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
    throw new RangeError(`shards must be 1 to ${MAX_SHARDS}`);
  }
  const shardOfUser = (userId: string): number => hash32(userId) % shards;

  return {
    shards,
    prefix,
    shardOfUser,
    shardOfNote(noteId) {
      if (!NOTE_ID_PATTERN.test(noteId)) return undefined;
      const shard = Number.parseInt(noteId.slice(0, 2), 16);
      return shard < shards ? shard : undefined;
    },
    newNoteId(userId) {
      // Node keeps random bytes in stock for this; 16 of them on their own cost 5 us.
      const random = randomUUID();
      const shard = shardOfUser(userId).toString(16).padStart(2, "0");
      return `${shard}${random.slice(2, 14)}8${random.slice(15)}`;
    },
    sharded: (shard, name) => `${prefix}{s${shard}}:${name}`,
    plain: (name) => `${prefix}${name}`,
  };
}

/** Hex SHA-256, for keys made of what callers send. */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
