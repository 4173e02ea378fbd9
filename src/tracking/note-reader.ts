/** Reads notes from the ledger, by their ids. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach } from "../platform/redis.ts";
import type { Sealing } from "../platform/sealing.ts";
import { parseNote } from "./note-hash.ts";
import type { Note } from "./note.ts";

/** The fields of `NoteHash`, in its order. */
const FIELDS = ["facts", "state", "request", "push_outcomes"] as const;
const text = z.string().nullable();
const hashReply = z.tuple([text, text, text, text]);

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
      target.hmget(keyspace.sharded(shardOf(keyspace, id), `note:${id}`), ...FIELDS),
    );
    const notes = new Map<string, Note>();
    replies.forEach((reply, index) => {
      const id = ids[index] ?? "";
      const [facts, state, request, pushOutcomes] = hashReply.parse(reply);
      const hash = { facts, state, request, pushOutcomes };
      const note = parseNote(id, hash, (sealed) => sealing.open(sealed));
      if (note !== undefined) notes.set(id, note);
    });
    return notes;
  };
}
