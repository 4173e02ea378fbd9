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
  readonly sealing: Pick<Sealing, "digest">;
  readonly keyspace: Pick<Keyspace, "shardOfNote">;
}): ReceiptTokens {
  const signature = (noteId: string): string =>
    deps.sealing.digest(`push-receipt ${noteId}`).slice(0, SIGNATURE_CHARACTERS);
  return {
    sign: (noteId) => `${noteId}.${signature(noteId)}`,
    read(token) {
      const [noteId = "", given = ""] = token.split(".");
      if (deps.keyspace.shardOfNote(noteId) === undefined) return undefined;
      const expected = Buffer.from(signature(noteId));
      const actual = Buffer.from(given);
      if (expected.length !== actual.length) return undefined;
      return timingSafeEqual(expected, actual) ? noteId : undefined;
    },
  };
}
