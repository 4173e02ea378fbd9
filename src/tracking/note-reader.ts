/** Reads notes from the ledger, by their ids. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach } from "../platform/redis.ts";
import type { Sealing } from "../platform/sealing.ts";
import { parseNote, type Note } from "./note.ts";

const hashReply = z.record(z.string(), z.string());

/** The notes that exist, by id. */
export type ReadNotes = (ids: readonly string[]) => Promise<Map<string, Note>>;

export function shardOf(keyspace: Pick<Keyspace, "shardOfNote">, noteId: string): number {
  const shard = keyspace.shardOfNote(noteId);
  if (shard === undefined) throw new Error(`${noteId} is not a notification id`);
  return shard;
}

export function createNoteReader(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Sealing;
}): ReadNotes {
  const { redis, keyspace, sealing } = deps;
  return async (ids) => {
    const replies = await runForEach(redis, ids, (target, id) =>
      target.hgetall(keyspace.sharded(shardOf(keyspace, id), `note:${id}`)),
    );
    const notes = new Map<string, Note>();
    replies.forEach((reply, index) => {
      const id = ids[index] ?? "";
      const note = parseNote(id, hashReply.parse(reply), (sealed) => sealing.open(sealed));
      if (note !== undefined) notes.set(id, note);
    });
    return notes;
  };
}
