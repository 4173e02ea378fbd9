/**
 * The browsers of each user that subscribed to push. An endpoint belongs to whoever subscribed it
 * last: on a shared computer the one before must not go on receiving there.
 */
import type { Clock } from "../../platform/clock.ts";
import {
  createSubscriptionRecords,
  subscriptionIdOf,
  type StoredSubscription,
  type Removal,
  type SubscriptionRecord,
  type SubscriptionRecords,
  type SubscriptionRecordsOptions,
} from "./subscription-records.ts";
import { attentionOf, expiresAt, hasExpired, type LifeTimes } from "./subscription-life.ts";
import type { SubscribedWith } from "./subscription-intake.ts";
import type { PushSubscription } from "./subscription.ts";

/** Browsers of one person; the one seen longest ago makes room. */
const MAX_SUBSCRIPTIONS_PER_USER = 10;

export interface Device extends StoredSubscription {
  readonly subscriptionId: string;
  /** Epoch milliseconds at which it ends, unless its browser is seen again before. */
  readonly expiresAt: number;
}

/** Without `vapid`: nothing is known of its key but what may be stored already. */
type Handed = Pick<PushSubscription, "endpoint" | "keys" | "expirationTime"> & {
  readonly vapid?: SubscribedWith;
};

/** What is known of the browser beside its subscription. */
export interface DeviceDetails {
  /** As the page calls it: stays until the page calls it something else. */
  readonly label?: string | undefined;
  /** Made here, for one that has no other. */
  readonly madeLabel?: string | undefined;
}

interface Stored {
  readonly subscriptionId: string;
  readonly created: boolean;
  readonly label: string;
}

export interface SubscriptionStore {
  /** Stores or refreshes; `created` is false if this user already had it. */
  put(userId: string, subscription: Handed, details?: DeviceDetails): Promise<Stored>;
  /**
   * Likewise, for a browser that says so unasked when its page is opened. Undefined for one that its
   * person took off the list: it stays off until they turn it on there.
   */
  revisit(
    userId: string,
    subscription: Handed,
    details?: DeviceDetails,
  ): Promise<Stored | undefined>;
  /** Those that are still this user's and good, most recently seen first. */
  list(userId: string): Promise<Device[]>;
  /** The browser unsubscribed. False if there was nothing to remove. */
  remove(userId: string, endpoint: string): Promise<boolean>;
  /** The push service said that the subscription is gone. */
  prune(userId: string, subscriptionId: string): Promise<boolean>;
  /** Its person took it off the list, perhaps from elsewhere. False if it was not there. */
  dismiss(userId: string, subscriptionId: string): Promise<boolean>;
  /**
   * The browser replaced its subscription by another. Undefined if the former is not this user's
   * any more, so that it cannot be handed on either.
   */
  renew(
    userId: string,
    formerId: string,
    subscription: Handed,
    details?: DeviceDetails,
  ): Promise<Stored | undefined>;
}

export interface SubscriptionStoreOptions extends SubscriptionRecordsOptions {
  readonly clock: Pick<Clock, "now">;
  readonly life: LifeTimes;
}

/** What is called nothing by its page, and says nothing of itself. */
const UNKNOWN_LABEL = "Browser";

/**
 * Takes one away that must still be as it was read, if `sealed` says so. Whoever stores the same
 * one meanwhile keeps it: that may have come between its record's going and its owner's.
 */
export async function withdraw(
  records: SubscriptionRecords,
  userId: string,
  id: string,
  how: Removal = {},
): Promise<boolean> {
  const removed = await records.remove(userId, id, how);
  if (!removed && how.sealed !== undefined) return false;
  await records.release(id, userId);
  const back = await records.read(userId, id);
  if (back !== undefined && !(await records.claimIfFree(id, userId))) {
    await records.remove(userId, id, { sealed: back.sealed });
  }
  return removed;
}

/** An endpoint keeps the key it was made with for as long as it lives, whoever uses the browser. */
function keyIdOf(
  vapid: SubscribedWith | undefined,
  known: StoredSubscription | undefined,
): string | undefined {
  if (vapid?.stated === true) return vapid.keyId;
  return known === undefined ? vapid?.keyId : known.keyId;
}

export function createSubscriptionStore(options: SubscriptionStoreOptions): SubscriptionStore {
  const { clock, life } = options;
  const records = createSubscriptionRecords(options);

  const attentionAt = (stored: StoredSubscription, now: number): number => {
    const attention = attentionOf(stored, life, now);
    return attention.kind === "wait" ? attention.until : now;
  };

  /** Who cannot be read, or will not be sent to any more, goes first. */
  const rank = ({ stored }: SubscriptionRecord, now: number): number =>
    stored === undefined || hasExpired(stored, now) ? 0 : stored.lastSeenAt;

  /**
   * Runs after the write, so that two writes at once cannot both believe there was room; all
   * agree on one order, so that together they drop no more than one alone would.
   */
  const trim = async (userId: string): Promise<void> => {
    const now = clock.now();
    const newestFirst = (await records.readAll(userId)).sort(
      (a, b) => rank(b, now) - rank(a, now) || (a.id < b.id ? -1 : 1),
    );
    for (const { id, sealed } of newestFirst.slice(MAX_SUBSCRIPTIONS_PER_USER)) {
      // One that is seen again just now is the newest; whoever stored it makes room in its turn.
      await withdraw(records, userId, id, { sealed });
    }
  };

  async function save(
    userId: string,
    { endpoint, keys, expirationTime, vapid }: Handed,
    details: DeviceDetails & { readonly createdAt?: number },
  ): Promise<Stored> {
    const id = subscriptionIdOf(endpoint);
    const formerOwner = await records.claim(id, userId);
    let ofFormer: StoredSubscription | undefined;
    if (formerOwner !== null && formerOwner !== userId) {
      ofFormer = (await records.read(formerOwner, id))?.stored;
      await records.remove(formerOwner, id);
    }
    const before = (await records.read(userId, id))?.stored;
    const now = clock.now();
    const label = details.label ?? before?.label ?? details.madeLabel ?? UNKNOWN_LABEL;
    const keyId = keyIdOf(vapid, before ?? ofFormer);
    const stored: StoredSubscription = {
      endpoint,
      keys,
      ...(keyId === undefined ? {} : { keyId }),
      createdAt: before?.createdAt ?? details.createdAt ?? now,
      lastSeenAt: now,
      label,
      ...(typeof expirationTime === "number" ? { expirationTime } : {}),
    };
    const written = await records.write(userId, id, {
      stored,
      attentionAt: attentionAt(stored, now),
    });
    // Whoever came later has it; and what was being taken away just now has no owner.
    if (!(await records.claimIfFree(id, userId))) await records.remove(userId, id);
    return { subscriptionId: id, created: written === "created", label };
  }

  const readOwned = async (userId: string, id: string): Promise<StoredSubscription | undefined> => {
    const [record, owner] = await Promise.all([records.read(userId, id), records.ownerOf(id)]);
    return owner === userId ? record?.stored : undefined;
  };

  const put: SubscriptionStore["put"] = async (userId, subscription, details = {}) => {
    const saved = await save(userId, subscription, details);
    await trim(userId);
    return saved;
  };

  /**
   * What a browser puts in the place of one that its person took off the list stays off as well, until
   * it is turned on there.
   */
  const stayOff = async (userId: string, id: string, saved?: Stored): Promise<undefined> => {
    if (saved === undefined && (await readOwned(userId, id)) !== undefined) return undefined;
    await records.markDismissed(userId, id, true);
    await withdraw(records, userId, id);
    return undefined;
  };

  return {
    async put(userId, subscription, details) {
      await records.markDismissed(userId, subscriptionIdOf(subscription.endpoint), false);
      return await put(userId, subscription, details);
    },

    async revisit(userId, subscription, details) {
      const id = subscriptionIdOf(subscription.endpoint);
      if (await records.isDismissed(userId, id)) return undefined;
      const saved = await put(userId, subscription, details);
      // Taken off the list just now, perhaps before this was written.
      return (await records.isDismissed(userId, id)) ? await stayOff(userId, id, saved) : saved;
    },

    async list(userId) {
      const now = clock.now();
      const all = await records.readAll(userId);
      // The owner's key decides: a move that was cut short must not ring at the former user's.
      const owned = await Promise.all(
        all.map(async ({ id, stored }) => {
          if (stored === undefined) return [];
          const [owner] = await Promise.all([
            records.ownerOf(id),
            // Written by a version that keeps no index: from now on it is in there.
            stored.label === undefined
              ? records.watch(userId, id, attentionAt(stored, now))
              : undefined,
          ]);
          if (owner !== userId || hasExpired(stored, now)) return [];
          return [{ subscriptionId: id, ...stored, expiresAt: expiresAt(stored, life, now) }];
        }),
      );
      return owned.flat().sort((a, b) => b.lastSeenAt - a.lastSeenAt);
    },

    remove: (userId, endpoint) => withdraw(records, userId, subscriptionIdOf(endpoint)),

    prune: (userId, subscriptionId) =>
      withdraw(records, userId, subscriptionId, { keepAside: true }),

    async dismiss(userId, subscriptionId) {
      // Only what is there: ids that anybody makes up are not remembered.
      if ((await readOwned(userId, subscriptionId)) === undefined) return false;
      await records.markDismissed(userId, subscriptionId, true);
      await withdraw(records, userId, subscriptionId);
      return true;
    },

    async renew(userId, formerId, subscription, details = {}) {
      const id = subscriptionIdOf(subscription.endpoint);
      const held = await readOwned(userId, formerId);
      if (await records.isDismissed(userId, formerId)) return await stayOff(userId, id);
      const former = held ?? (await records.readGone(userId, formerId))?.stored;
      if (former === undefined) {
        // Renewed already, and the answer was lost: the browser says the same again.
        const current = await readOwned(userId, id);
        const isSame =
          current !== undefined &&
          current.keys.p256dh === subscription.keys.p256dh &&
          current.keys.auth === subscription.keys.auth;
        return isSame ? await save(userId, subscription, details) : undefined;
      }
      if (!(await records.claimIfFree(id, userId))) {
        // Somebody else has signed in there since, and a worker speaks for whoever was there before.
        await withdraw(records, userId, formerId);
        return undefined;
      }
      const { createdAt, label = details.madeLabel } = former;
      const saved = await save(userId, subscription, { madeLabel: label, createdAt });
      // Before anything makes room: a browser that was renewed is one, not two.
      if (id !== formerId) await withdraw(records, userId, formerId);
      if (held === undefined) await records.forgetGone(userId, formerId);
      // Taken off the list just now, perhaps before this was written.
      if (await records.isDismissed(userId, formerId)) return await stayOff(userId, id, saved);
      await trim(userId);
      return saved;
    },
  };
}
