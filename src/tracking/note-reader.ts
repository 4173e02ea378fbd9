/** Reads notes from the ledger, by their ids. */
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import type { Sealing } from "../platform/sealing.ts";
import { OWN_FORMATS, type LedgerFormats } from "./ledger-format.ts";
import { parseNote } from "./note-record.ts";
import type { Note } from "./note.ts";

const reply = z.string().nullable();

/** The notes that exist, by id; without those of a form that this version cannot read. */
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
  readonly sealing: Pick<Sealing, "open">;
  readonly formats?: LedgerFormats | undefined;
}): ReadNotes {
  const { redis, keyspace, sealing, formats = OWN_FORMATS } = deps;
  const open = (sealed: string): string => sealing.open(sealed);
  return async (ids) => {
    const replies = await runForEach(redis, ids, (id) => ["get", noteKey(keyspace, id)]);
    const notes = new Map<string, Note>();
    replies.forEach((found, index) => {
      const id = ids[index] ?? "";
      const record = reply.parse(found);
      if (record === null) return;
      const note = parseNote(id, record, open, formats.newest);
      if (note === undefined) formats.onNewer("note");
      else notes.set(id, note);
    });
    return notes;
  };
}
