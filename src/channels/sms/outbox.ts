/** The SMS that development would have sent, newest first, to be looked at. */
import { z } from "zod";
import type { Keyspace } from "../../platform/keyspace.ts";
import type { Redis } from "../../platform/redis.ts";
import type { Sealing } from "../../platform/sealing.ts";

/** As many as a person scrolls through. */
const MAX_OUTBOX_MESSAGES = 50;

const outboxMessageSchema = z.object({
  noteId: z.string(),
  phoneNumber: z.string(),
  text: z.string(),
  /** Epoch milliseconds. */
  at: z.number(),
});
export type OutboxMessage = Readonly<z.infer<typeof outboxMessageSchema>>;

export interface SmsOutbox {
  add(message: OutboxMessage): Promise<void>;
  /** The last `MAX_OUTBOX_MESSAGES`, newest first. */
  list(): Promise<OutboxMessage[]>;
}

export interface SmsOutboxOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly sealing: Pick<Sealing, "seal" | "open">;
}

export function createSmsOutbox({ redis, keyspace, sealing }: SmsOutboxOptions): SmsOutbox {
  const key = keyspace.plain("sms-outbox");

  return {
    async add(message) {
      await redis.lpush(key, sealing.seal(JSON.stringify(message)));
      await redis.ltrim(key, 0, MAX_OUTBOX_MESSAGES - 1);
    },
    async list() {
      const sealed = await redis.lrange(key, 0, MAX_OUTBOX_MESSAGES - 1);
      return sealed.map((entry) => outboxMessageSchema.parse(JSON.parse(sealing.open(entry))));
    },
  };
}
