/** The signed token in a push payload with which a service worker says "shown". */
import { timingSafeEqual } from "node:crypto";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Sealing } from "../platform/sealing.ts";

export interface ReceiptTokens {
  sign(noteId: string): string;
  /** The notification it speaks of, or undefined if it is not one of ours. */
  read(token: string): string | undefined;
}

const SIGNATURE_CHARACTERS = 32;

export function createReceiptTokens(deps: {
  readonly sealing: Pick<Sealing, "digest" | "digests">;
  readonly keyspace: Pick<Keyspace, "shardOfNote">;
}): ReceiptTokens {
  const saying = (noteId: string): string => `push-receipt ${noteId}`;
  const cut = (digest: string): string => digest.slice(0, SIGNATURE_CHARACTERS);
  return {
    sign: (noteId) => `${noteId}.${cut(deps.sealing.digest(saying(noteId)))}`,
    read(token) {
      const [noteId = "", given = ""] = token.split(".");
      if (deps.keyspace.shardOfNote(noteId) === undefined) return undefined;
      const actual = Buffer.from(given);
      // One that was signed with an older key may be shown for as long as a push waits.
      const isOurs = deps.sealing.digests(saying(noteId)).some((digest) => {
        const expected = Buffer.from(cut(digest));
        return expected.length === actual.length && timingSafeEqual(expected, actual);
      });
      return isOurs ? noteId : undefined;
    },
  };
}
