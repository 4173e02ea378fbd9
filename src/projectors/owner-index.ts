/**
 * Who owns which batch and class. Events that name their user teach it; an administrator's word
 * replaces what they taught.
 */
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import type { OwnedKind } from "./domain-event.ts";

/** A little more than a school year after it was first heard of. */
const OWNER_SECONDS = 400 * 86_400;

export interface Owned {
  readonly kind: OwnedKind;
  readonly id: string;
}

export interface OwnerClaim extends Owned {
  readonly userId: string;
}

export interface OwnerIndex {
  /** In the order given; `undefined` where no owner is known. One round trip. */
  ownersOf(owned: readonly Owned[]): Promise<(string | undefined)[]>;
  /**
   * Sets owners where there is none yet.
   * @returns in the order given, whose it is now: of two processes that teach it at once one is first.
   */
  learn(claims: readonly OwnerClaim[]): Promise<string[]>;
  /** Sets an owner whoever it was. @returns who that was */
  put(claim: OwnerClaim): Promise<string | undefined>;
}

export function createOwnerIndex(deps: {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
}): OwnerIndex {
  const { redis, keyspace } = deps;
  const keyOf = ({ kind, id }: Owned): string => keyspace.plain(`owner:${kind}:${id}`);
  const textOf = (reply: unknown): string | undefined =>
    typeof reply === "string" ? reply : undefined;

  /**
   * One command for all: as a pipeline of 500, asking took three times as much of this process for
   * each event (3.6 us, not 1.1). In a cluster each key has a slot of its own.
   */
  async function read(keys: readonly string[]): Promise<readonly unknown[]> {
    if (keys.length === 0) return [];
    if (redis.isCluster) return await runForEach(redis, keys, (key) => ["get", key]);
    return await redis.mget(...keys);
  }

  return {
    async ownersOf(owned) {
      const keys = owned.map(keyOf);
      const asked = [...new Set(keys)];
      const replies = await read(asked);
      const owners = new Map(asked.map((key, index) => [key, textOf(replies[index])]));
      return keys.map((key) => owners.get(key));
    },
    async learn(claims) {
      const held = await runForEach(redis, claims, (claim) => [
        "set",
        keyOf(claim),
        claim.userId,
        "EX",
        OWNER_SECONDS,
        "NX",
        "GET",
      ]);
      return claims.map(({ userId }, index) => textOf(held[index]) ?? userId);
    },
    async put(claim) {
      const before = await redis.call(
        "SET",
        keyOf(claim),
        claim.userId,
        "EX",
        OWNER_SECONDS,
        "GET",
      );
      return textOf(before);
    },
  };
}
