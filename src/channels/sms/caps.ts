/**
 * How many SMS one person and one number get in a day (UTC). What is counted is a note, once, however
 * often it is tried; what was surely not sent is given back.
 */
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import { loadScript, type Redis } from "../../platform/redis.ts";
import type { Sealing } from "../../platform/sealing.ts";

/** Who an SMS is for, and which note asks. */
export interface CapSubject {
  readonly noteId: string;
  readonly userId: string;
  /** E.164. */
  readonly phoneNumber: string;
  /** Counted against the person's cap, not held back by it. */
  readonly isCritical: boolean;
}

/** A note's place under the caps. */
export interface SmsPlace {
  /** For what was surely not sent. */
  giveBack(): Promise<void>;
}

export interface SmsCaps {
  /** Undefined where a cap is reached. To be asked before every try: a second time costs no place. */
  take(subject: CapSubject): Promise<SmsPlace | undefined>;
}

export interface SmsCapsOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Pick<Sealing, "digests">;
  readonly clock: Pick<Clock, "now">;
  readonly perUser: number;
  readonly perNumber: number;
}

/** Past the end of its day wherever a clock is: only the names of the keys tell the days apart. */
const KEPT_MS = 2 * 86_400_000;
const NO_CAP = 0;

const replySchema = z.union([z.literal(0), z.literal(1)]);

export function createSmsCaps(options: SmsCapsOptions): SmsCaps {
  const { redis, keyspace, sealing, clock } = options;
  const runScript = loadScript(redis, "schoolbellTakeSmsPlace", [
    new URL("./lua/take-place.lua", import.meta.url),
  ]);

  async function count(key: string, noteId: string, cap: number, elsewhere = 0): Promise<boolean> {
    return replySchema.parse(await runScript([key], [noteId, cap, elsewhere, KEPT_MS])) === 1;
  }

  /** While the encryption key is changed, other processes may still count under the older name. */
  async function countedElsewhere(keys: readonly string[]): Promise<number> {
    const counts = await Promise.all(keys.map((key) => redis.scard(key)));
    return counts.reduce((sum, found) => sum + found, 0);
  }

  return {
    async take({ noteId, userId, phoneNumber, isCritical }) {
      const day = new Date(clock.now()).toISOString().slice(0, 10);
      const userKey = keyspace.sharded(keyspace.shardOfUser(userId), `sms-day:${userId}:${day}`);
      const [numberKey = "", ...olderKeys] = sealing
        .digests(phoneNumber)
        .map((digest) => keyspace.plain(`sms-number-day:${digest}:${day}`));
      if (!(await count(userKey, noteId, isCritical ? NO_CAP : options.perUser))) return undefined;
      const elsewhere = await countedElsewhere(olderKeys);
      if (await count(numberKey, noteId, options.perNumber, elsewhere)) {
        return {
          async giveBack() {
            // One by one: in a cluster they lie apart.
            await Promise.all([userKey, numberKey].map((key) => redis.srem(key, noteId)));
          },
        };
      }
      await redis.srem(userKey, noteId);
      return undefined;
    },
  };
}

const NO_PLACE: SmsPlace = { giveBack: async () => {} };

/** Where there are no limits, as in a load test. */
export const NO_SMS_CAPS: SmsCaps = { take: async () => NO_PLACE };
