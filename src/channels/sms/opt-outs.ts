/** Phone numbers whose owner asked for no more messages; kept without the numbers themselves. */
import type { Clock } from "../../platform/clock.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import type { Redis } from "../../platform/redis.ts";
import type { Sealing } from "../../platform/sealing.ts";

export interface OptOuts {
  /** Read from Redis each time: a STOP must count for the very next message. */
  isOptedOut(phoneNumber: string): Promise<boolean>;
  optOut(phoneNumber: string): Promise<void>;
  optIn(phoneNumber: string): Promise<void>;
}

export interface OptOutsOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly sealing: Pick<Sealing, "digest">;
  readonly clock: Pick<Clock, "now">;
}

/** All numbers are E.164. An opt-out has no expiry: only its owner takes it back. */
export function createOptOuts({ redis, keyspace, sealing, clock }: OptOutsOptions): OptOuts {
  const key = (phoneNumber: string): string =>
    keyspace.plain(`optout:${sealing.digest(phoneNumber)}`);

  return {
    isOptedOut: async (phoneNumber) => (await redis.exists(key(phoneNumber))) === 1,
    async optOut(phoneNumber) {
      await redis.set(key(phoneNumber), clock.now());
    },
    async optIn(phoneNumber) {
      await redis.del(key(phoneNumber));
    },
  };
}
