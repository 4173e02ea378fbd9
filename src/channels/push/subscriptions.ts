/**
 * The push subscriptions of each user, sealed, in Redis. An endpoint belongs to whoever
 * subscribed it last: on a shared computer the one before must not go on receiving there.
 */
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import { sha256Hex, type Keyspace } from "../../platform/keyspace.ts";
import { loadScript, type Redis } from "../../platform/redis.ts";
import type { Sealing } from "../../platform/sealing.ts";
import type { PushAddress } from "../channel.ts";
import type { SubscribedWith } from "./subscription-intake.ts";
import type { PushSubscription } from "./subscription.ts";

/** Browsers of one person; the one seen longest ago makes room. */
const MAX_SUBSCRIPTIONS_PER_USER = 10;

interface StoredSubscription extends PushAddress {
  readonly subscriptionId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds of the last time the browser sent it. */
  readonly lastSeenAt: number;
}

/** Without `vapid`: nothing is known of its key but what may be stored already. */
type Handed = Pick<PushSubscription, "endpoint" | "keys"> & { readonly vapid?: SubscribedWith };

export interface SubscriptionStore {
  /** Stores or refreshes; `created` is false if this user already had it. */
  put(userId: string, subscription: Handed): Promise<{ subscriptionId: string; created: boolean }>;
  /** Those that are still this user's, most recently seen first. */
  list(userId: string): Promise<StoredSubscription[]>;
  /** The browser unsubscribed. False if there was nothing to remove. */
  remove(userId: string, endpoint: string): Promise<boolean>;
  /** The push service said that the subscription is gone. */
  prune(userId: string, subscriptionId: string): Promise<void>;
}

const storedSchema = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
  /** Of the VAPID key it was made with; what was stored before there were several has none. */
  keyId: z.string().optional(),
  createdAt: z.number(),
  lastSeenAt: z.number(),
});
type Stored = z.infer<typeof storedSchema>;

interface SubscriptionStoreOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Pick<Sealing, "seal" | "open">;
  readonly clock: Pick<Clock, "now">;
}

/** An endpoint keeps the key it was made with for as long as it lives, whoever uses the browser. */
function keyIdOf(vapid: SubscribedWith | undefined, known: Stored | undefined): string | undefined {
  if (vapid?.stated === true) return vapid.keyId;
  return known === undefined ? vapid?.keyId : known.keyId;
}

export function createSubscriptionStore(options: SubscriptionStoreOptions): SubscriptionStore {
  const { redis, keyspace, sealing, clock } = options;
  const releaseEndpoint = loadScript(redis, "releaseEndpoint", [
    new URL("release-endpoint.lua", import.meta.url),
  ]);
  const subscriptionsKey = (userId: string): string =>
    keyspace.sharded(keyspace.shardOfUser(userId), `subs:${userId}`);
  const ownerKey = (subscriptionId: string): string => keyspace.plain(`endpoint:${subscriptionId}`);

  /**
   * Undefined for a record that a lost key sealed. It counts as the oldest, so that subscribing
   * anew replaces it, and nothing is sent to it.
   */
  const readable = (sealed: string | null | undefined): Stored | undefined => {
    if (sealed === null || sealed === undefined) return undefined;
    try {
      return storedSchema.parse(JSON.parse(sealing.open(sealed)));
    } catch {
      return undefined;
    }
  };

  const prune = async (userId: string, subscriptionId: string): Promise<boolean> => {
    const removed = await redis.hdel(subscriptionsKey(userId), subscriptionId);
    await releaseEndpoint([ownerKey(subscriptionId)], [userId]);
    return removed > 0;
  };

  /**
   * Runs after the write, so that two writes at once cannot both believe there was room; all
   * agree on one order, so that together they drop no more than one alone would.
   */
  const trim = async (userId: string): Promise<void> => {
    const fields = await redis.hgetall(subscriptionsKey(userId));
    const newestFirst = Object.entries(fields)
      .map(([id, sealed]) => ({ id, lastSeenAt: readable(sealed)?.lastSeenAt ?? 0 }))
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt || (a.id < b.id ? -1 : 1));
    for (const { id } of newestFirst.slice(MAX_SUBSCRIPTIONS_PER_USER)) await prune(userId, id);
  };

  return {
    async put(userId, { endpoint, keys, vapid }) {
      const subscriptionId = sha256Hex(endpoint);
      const formerOwner = await redis.set(ownerKey(subscriptionId), userId, "GET");
      let ofFormer: Stored | undefined;
      if (formerOwner !== null && formerOwner !== userId) {
        const formerKey = subscriptionsKey(formerOwner);
        ofFormer = readable(await redis.hget(formerKey, subscriptionId));
        await redis.hdel(formerKey, subscriptionId);
      }
      const before = await redis.hget(subscriptionsKey(userId), subscriptionId);
      const known = readable(before);
      const now = clock.now();
      const stored: Stored = {
        endpoint,
        keys,
        keyId: keyIdOf(vapid, known ?? ofFormer),
        createdAt: known?.createdAt ?? now,
        lastSeenAt: now,
      };
      await redis.hset(
        subscriptionsKey(userId),
        subscriptionId,
        sealing.seal(JSON.stringify(stored)),
      );
      await trim(userId);
      return { subscriptionId, created: before === null };
    },

    async list(userId) {
      const fields = await redis.hgetall(subscriptionsKey(userId));
      // The owner's key decides: a move that was cut short must not ring at the former user's.
      const owned = await Promise.all(
        Object.entries(fields).map(async ([subscriptionId, sealed]) => {
          const stored = readable(sealed);
          if (stored === undefined) return [];
          const owner = await redis.get(ownerKey(subscriptionId));
          return owner === userId ? [{ subscriptionId, ...stored }] : [];
        }),
      );
      return owned.flat().sort((a, b) => b.lastSeenAt - a.lastSeenAt);
    },

    remove: async (userId, endpoint) => await prune(userId, sha256Hex(endpoint)),

    async prune(userId, subscriptionId) {
      await prune(userId, subscriptionId);
    },
  };
}
