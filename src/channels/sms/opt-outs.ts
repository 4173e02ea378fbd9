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
  readonly sealing: Pick<Sealing, "digests">;
  readonly clock: Pick<Clock, "now">;
}

/** All numbers are E.164. An opt-out has no expiry: only its owner takes it back. */
export function createOptOuts({ redis, keyspace, sealing, clock }: OptOutsOptions): OptOuts {
  /** With each encryption key there is: one that was put down with an older key counts as well. */
  const keysOf = (phoneNumber: string): string[] =>
    sealing.digests(phoneNumber).map((digest) => keyspace.plain(`optout:${digest}`));

  return {
    async isOptedOut(phoneNumber) {
      // One by one: in a cluster they lie apart.
      const found = await Promise.all(keysOf(phoneNumber).map((key) => redis.exists(key)));
      return found.includes(1);
    },
    async optOut(phoneNumber) {
      const [key = ""] = keysOf(phoneNumber);
      await redis.set(key, clock.now());
    },
    async optIn(phoneNumber) {
      await Promise.all(keysOf(phoneNumber).map((key) => redis.del(key)));
    },
  };
}
