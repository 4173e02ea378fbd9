/** Reads notes from the ledger, by their ids. */
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import type { Sealing } from "../platform/sealing.ts";
import { parseNote } from "./note-record.ts";
import type { Note } from "./note.ts";

const reply = z.string().nullable();

/** The notes that exist, by id. */
export type ReadNotes = (ids: readonly string[]) => Promise<Map<string, Note>>;

export function shardOf(keyspace: Pick<Keyspace, "shardOfNote">, noteId: string): number {
  const shard = keyspace.shardOfNote(noteId);
  if (shard === undefined) throw new Error(`${noteId} is not a notification id`);
  return shard;
}

/** @throws Error if it is no id of a note. */
export function noteKey(
  keyspace: Pick<Keyspace, "shardOfNote" | "sharded">,
  noteId: string,
): string {
  return keyspace.sharded(shardOf(keyspace, noteId), `rec:${noteId}`);
}

export function createNoteReader(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Sealing;
}): ReadNotes {
  const { redis, keyspace, sealing } = deps;
  return async (ids) => {
    const replies = await runForEach(redis, ids, (id) => ["get", noteKey(keyspace, id)]);
    const notes = new Map<string, Note>();
    replies.forEach((found, index) => {
      const id = ids[index] ?? "";
      const record = reply.parse(found);
      if (record !== null)
        notes.set(
          id,
          parseNote(id, record, (sealed) => sealing.open(sealed)),
        );
    });
    return notes;
  };
}
