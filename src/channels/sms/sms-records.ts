/**
 * What is known of each SMS that was sent, beside its note: to whom and what (as keyed digests), when,
 * the provider's id of it, and how far it has come. It is written before the request is.
 */
import { z } from "zod";
import type { Keyspace } from "../../platform/keyspace.ts";
import { loadScript, type Redis } from "../../platform/redis.ts";
import type { Sealing } from "../../platform/sealing.ts";
import { CARRIER_STATUSES, type CarrierReport } from "../channel.ts";
import type { SmsReference } from "./callback-token.ts";
import { rankOf } from "./carrier-status.ts";

/** As long as notes are kept. */
export const KEEP_MS = 30 * 86_400_000;
/** Providers try for ten hours at most; some carriers say a day or two later what came of it. */
const KEEP_REQUEST_MS = 3 * 86_400_000;

const recordSchema = z.object({
  sent_at: z.coerce.number().int(),
  provider: z.string().optional(),
  to: z.string().optional(),
  text: z.string().optional(),
  status: z.enum(CARRIER_STATUSES).optional(),
  fault: z.string().optional(),
});

export interface SmsRecord {
  readonly sentAt: number;
  /** Absent where Redis forgot what was put down before the request. */
  readonly provider: string | undefined;
  /** What was last heard of it. */
  readonly report: CarrierReport | undefined;
  isTo(phoneNumber: string): boolean;
  says(text: string): boolean;
}

export interface SmsSending extends SmsReference {
  readonly provider: string;
  readonly phoneNumber: string;
  readonly text: string;
  /** Kept for a while, sealed, where the carrier may yet say that it did not arrive. */
  readonly request: object | undefined;
}

export interface SmsRecords {
  /** Puts down that an SMS is about to be sent; what was known of an earlier one is over. */
  begin(sending: SmsSending): Promise<void>;
  read(noteId: string): Promise<SmsRecord | undefined>;
  /** Goes forward to what is reported; returns how far it is, or undefined if it was sent again since. */
  report(reference: SmsReference, report: CarrierReport): Promise<CarrierReport | undefined>;
  /** One message of the provider's answers for one note only: true if it is this one. */
  claim(messageId: string, noteId: string): Promise<boolean>;
  /** What the note said, sealed as the ledger keeps it; undefined once that is not needed any more. */
  request(noteId: string): Promise<string | undefined>;
}

const reportReply = z.union([z.tuple([]), z.tuple([z.enum(CARRIER_STATUSES), z.string()])]);

export function createSmsRecords(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Pick<Sealing, "seal" | "digest" | "digests">;
}): SmsRecords {
  const { redis, keyspace, sealing } = deps;
  const script = loadScript(redis, "report_sms", [
    new URL("./lua/report-sms.lua", import.meta.url),
  ]);
  const keyOf = (name: string, noteId: string): string => {
    const shard = keyspace.shardOfNote(noteId);
    if (shard === undefined) throw new Error(`${noteId} is not a notification id`);
    return keyspace.sharded(shard, `${name}:${noteId}`);
  };
  const recordKey = (noteId: string): string => keyOf("sms", noteId);
  const requestKey = (noteId: string): string => keyOf("sms-request", noteId);

  return {
    async begin({ noteId, sentAt, provider, phoneNumber, text, request }) {
      const key = recordKey(noteId);
      const write = redis
        .multi()
        .del(key)
        .hset(key, {
          sent_at: sentAt,
          provider,
          to: sealing.digest(phoneNumber),
          text: sealing.digest(text),
        })
        .pexpire(key, KEEP_MS);
      if (request !== undefined) {
        const sealed = sealing.seal(JSON.stringify(request));
        write.set(requestKey(noteId), sealed, "PX", KEEP_REQUEST_MS);
      }
      for (const [error] of (await write.exec()) ?? []) if (error !== null) throw error;
    },

    async read(noteId) {
      const fields = await redis.hgetall(recordKey(noteId));
      if (Object.keys(fields).length === 0) return undefined;
      const { sent_at: sentAt, provider, to, text, status, fault } = recordSchema.parse(fields);
      const isDigestOf = (digest: string | undefined, value: string): boolean =>
        digest !== undefined && sealing.digests(value).includes(digest);
      return {
        sentAt,
        provider,
        report: status === undefined ? undefined : { status, fault },
        isTo: (phoneNumber) => isDigestOf(to, phoneNumber),
        says: (given) => isDigestOf(text, given),
      };
    },

    async report({ noteId, sentAt }, { status, messageId = "", fault = "" }) {
      const keys = [recordKey(noteId), requestKey(noteId)];
      const args = [sentAt, status, rankOf(status), messageId, fault, KEEP_MS];
      const [now, why = ""] = reportReply.parse(await script(keys, args));
      if (now === undefined) return undefined;
      return { status: now, ...(why === "" ? {} : { fault: why }) };
    },

    async claim(messageId, noteId) {
      const key = keyspace.plain(`sms-message:${messageId}`);
      const holder = await redis.set(key, noteId, "PX", KEEP_MS, "NX", "GET");
      return holder === null || holder === noteId;
    },

    async request(noteId) {
      return (await redis.get(requestKey(noteId))) ?? undefined;
    },
  };
}
