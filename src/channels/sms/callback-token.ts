/** Names an SMS in the address that its provider calls back: signed, so that nobody else can. */
import { timingSafeEqual } from "node:crypto";
import type { Keyspace } from "../../platform/keyspace.ts";
import type { Sealing } from "../../platform/sealing.ts";

/** One sending of one note: a note that is sent again has another. */
export interface SmsReference {
  readonly noteId: string;
  /** When it was taken in hand, epoch ms. */
  readonly sentAt: number;
}

export interface CallbackTokens {
  sign(reference: SmsReference): string;
  /** Undefined if it is not one of ours. */
  read(token: string): SmsReference | undefined;
}

const SIGNATURE_CHARACTERS = 32;
const TIME_PATTERN = /^[1-9]\d{0,15}$/;

export function createCallbackTokens(deps: {
  readonly sealing: Pick<Sealing, "digest" | "digests">;
  readonly keyspace: Pick<Keyspace, "shardOfNote">;
}): CallbackTokens {
  const { sealing, keyspace } = deps;
  const saying = (noteId: string, sentAt: string): string => `sms-callback ${noteId} ${sentAt}`;
  const cut = (digest: string): string => digest.slice(0, SIGNATURE_CHARACTERS);
  return {
    sign({ noteId, sentAt }) {
      return `${noteId}.${sentAt}.${cut(sealing.digest(saying(noteId, String(sentAt))))}`;
    },
    read(token) {
      const [noteId = "", sentAt = "", given = ""] = token.split(".");
      if (keyspace.shardOfNote(noteId) === undefined || !TIME_PATTERN.test(sentAt))
        return undefined;
      const actual = Buffer.from(given);
      // A carrier may report days later, when the key was changed.
      const isOurs = sealing.digests(saying(noteId, sentAt)).some((digest) => {
        const expected = Buffer.from(cut(digest));
        return expected.length === actual.length && timingSafeEqual(expected, actual);
      });
      return isOurs ? { noteId, sentAt: Number(sentAt) } : undefined;
    },
  };
}
