/**
 * Push subscriptions as they lie in Redis: sealed in a hash of their user, beside an index of when
 * each next needs attention; and, elsewhere, to whom an endpoint belongs.
 */
import { z } from "zod";
import { sha256Hex, type Keyspace } from "../../platform/keyspace.ts";
import { loadScript, type Redis } from "../../platform/redis.ts";
import type { Sealing } from "../../platform/sealing.ts";

/** A further field is passed over, and lost when it writes the record, by a version that lacks it. */
const storedSchema = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
  /** Of the VAPID key it was made with; what was stored before there were several has none. */
  keyId: z.string().optional(),
  /** Epoch milliseconds. */
  createdAt: z.number(),
  /** Epoch milliseconds of the last time the browser sent it. */
  lastSeenAt: z.number(),
  /** What its person knows the browser by; absent where a version before this one wrote it. */
  label: z.string().optional(),
  /** Until when the browser says it is good, epoch ms. */
  expirationTime: z.number().optional(),
  /** When its person was told that it will be given up, epoch ms. */
  warnedAt: z.number().optional(),
});
export type StoredSubscription = z.infer<typeof storedSchema>;

export interface SubscriptionRecord {
  readonly id: string;
  /** As it lies there: what a change is conditional on. */
  readonly sealed: string;
  /** Undefined for one that a lost key sealed. */
  readonly stored: StoredSubscription | undefined;
}

export interface Removal {
  /** The sealed record that must still lie there; left out: whatever does. */
  readonly sealed?: string;
  /** For what its browser may put in its place: its push service no longer knows it. */
  readonly keepAside?: boolean;
}

/** Whose subscription needs attention. */
interface Watched {
  readonly userId: string;
  readonly id: string;
}

export interface SubscriptionRecords {
  read(userId: string, id: string): Promise<SubscriptionRecord | undefined>;
  readAll(userId: string): Promise<SubscriptionRecord[]>;
  /** @param replaces the sealed record that must still lie there; left out: whatever does. */
  write(
    userId: string,
    id: string,
    change: {
      readonly stored: StoredSubscription;
      readonly attentionAt: number;
      readonly replaces?: string;
    },
  ): Promise<"created" | "replaced" | "changed_meanwhile">;
  /** False if there was none, or another than `sealed` by now. */
  remove(userId: string, id: string, how?: Removal): Promise<boolean>;
  /** Puts one into the index that is not there, as where a version before this one wrote it. */
  watch(userId: string, id: string, attentionAt: number): Promise<void>;
  /** Moves one within the index. */
  postpone(userId: string, id: string, attentionAt: number): Promise<void>;
  /** Takes one off the index that is no more. */
  forget(userId: string, id: string): Promise<void>;
  /** Those of a shard that need attention, which no one else is then given before `until`. */
  lease(shard: number, now: number, until: number, limit: number): Promise<Watched[]>;

  /** Remembers for a year that its person took it off the list; or forgets that. */
  markDismissed(userId: string, id: string, dismissed: boolean): Promise<void>;
  isDismissed(userId: string, id: string): Promise<boolean>;

  /** One that was removed and kept aside. */
  readGone(userId: string, id: string): Promise<SubscriptionRecord | undefined>;
  forgetGone(userId: string, id: string): Promise<void>;

  ownerOf(id: string): Promise<string | null>;
  /** Gives the endpoint to this user. @returns to whom it belonged. */
  claim(id: string, userId: string): Promise<string | null>;
  /** Gives it to this user if it is nobody's. @returns whether it is this user's now. */
  claimIfFree(id: string, userId: string): Promise<boolean>;
  /** Makes it nobody's, if it was this user's. */
  release(id: string, userId: string): Promise<void>;
}

export interface SubscriptionRecordsOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Pick<Sealing, "seal" | "open">;
}

/** A browser that nobody opens for so long has a new subscription by then, if any. */
const DISMISSED_SECONDS = 31_536_000;

/** Browsers say what they put in its place when they next start. */
const GONE_SECONDS = 2_592_000;

/** An endpoint is a secret: whoever has it and the keys can ring. Its digest says nothing. */
export function subscriptionIdOf(endpoint: string): string {
  return sha256Hex(endpoint);
}

const membersSchema = z.array(z.string());

export function createSubscriptionRecords(
  options: SubscriptionRecordsOptions,
): SubscriptionRecords {
  const { redis, keyspace, sealing } = options;
  const script = (name: string, file: string) =>
    loadScript(redis, name, [new URL(file, import.meta.url)]);
  const releaseEndpoint = script("releaseEndpoint", "release-endpoint.lua");
  const writeSubscription = script("writeSubscription", "write-subscription.lua");
  const removeSubscription = script("removeSubscription", "remove-subscription.lua");
  const forgetSubscription = script("forgetSubscription", "forget-subscription.lua");
  const leaseSubscriptions = script("leaseSubscriptions", "lease-subscriptions.lua");

  const recordsKey = (userId: string): string =>
    keyspace.sharded(keyspace.shardOfUser(userId), `subs:${userId}`);
  const dismissedKey = (userId: string, id: string): string =>
    keyspace.sharded(keyspace.shardOfUser(userId), `subs-out:${userId}:${id}`);
  const goneKey = (userId: string, id: string): string =>
    keyspace.sharded(keyspace.shardOfUser(userId), `subs-gone:${userId}:${id}`);
  const indexKey = (shard: number): string => keyspace.sharded(shard, "subs-due");
  const indexOf = (userId: string): string => indexKey(keyspace.shardOfUser(userId));
  const ownerKey = (id: string): string => keyspace.plain(`endpoint:${id}`);
  // A user id holds no space.
  const memberOf = (userId: string, id: string): string => `${id} ${userId}`;

  const recordOf = (id: string, sealed: string): SubscriptionRecord => {
    try {
      return { id, sealed, stored: storedSchema.parse(JSON.parse(sealing.open(sealed))) };
    } catch {
      return { id, sealed, stored: undefined };
    }
  };

  return {
    async read(userId, id) {
      const sealed = await redis.hget(recordsKey(userId), id);
      return sealed === null ? undefined : recordOf(id, sealed);
    },

    async readAll(userId) {
      const fields = await redis.hgetall(recordsKey(userId));
      return Object.entries(fields).map(([id, sealed]) => recordOf(id, sealed));
    },

    async write(userId, id, { stored, attentionAt, replaces = "" }) {
      const written = await writeSubscription(
        [recordsKey(userId), indexOf(userId)],
        [id, sealing.seal(JSON.stringify(stored)), memberOf(userId, id), attentionAt, replaces],
      );
      if (written === -1) return "changed_meanwhile";
      return written === 1 ? "created" : "replaced";
    },

    async remove(userId, id, { sealed = "", keepAside = false } = {}) {
      const removed = await removeSubscription(
        [recordsKey(userId), indexOf(userId), goneKey(userId, id)],
        [id, memberOf(userId, id), sealed, keepAside ? GONE_SECONDS : 0],
      );
      return removed === 1;
    },

    async watch(userId, id, attentionAt) {
      await redis.zadd(indexOf(userId), "NX", attentionAt, memberOf(userId, id));
    },

    async postpone(userId, id, attentionAt) {
      await redis.zadd(indexOf(userId), "XX", attentionAt, memberOf(userId, id));
    },

    async forget(userId, id) {
      await forgetSubscription([recordsKey(userId), indexOf(userId)], [id, memberOf(userId, id)]);
    },

    async lease(shard, now, until, limit) {
      const due = membersSchema.parse(
        await leaseSubscriptions([indexKey(shard)], [now, until, limit]),
      );
      return due.map((member) => {
        const end = member.indexOf(" ");
        return { id: member.slice(0, end), userId: member.slice(end + 1) };
      });
    },

    async markDismissed(userId, id, dismissed) {
      const key = dismissedKey(userId, id);
      if (dismissed) await redis.set(key, "1", "EX", DISMISSED_SECONDS);
      else await redis.del(key);
    },
    isDismissed: async (userId, id) => (await redis.exists(dismissedKey(userId, id))) === 1,

    async readGone(userId, id) {
      const sealed = await redis.get(goneKey(userId, id));
      return sealed === null ? undefined : recordOf(id, sealed);
    },
    async forgetGone(userId, id) {
      await redis.del(goneKey(userId, id));
    },

    ownerOf: (id) => redis.get(ownerKey(id)),
    claim: (id, userId) => redis.set(ownerKey(id), userId, "GET"),

    async claimIfFree(id, userId) {
      const owner = await redis.set(ownerKey(id), userId, "NX", "GET");
      return owner === null || owner === userId;
    },

    async release(id, userId) {
      await releaseEndpoint([ownerKey(id)], [userId]);
    },
  };
}
