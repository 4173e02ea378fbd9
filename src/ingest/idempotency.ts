/**
 * What a caller means by "the same request again": an idempotency key (a day, per caller) or an
 * event id (a week, for all ways in). Claiming comes before the note, so that a crash in between
 * finds the id again.
 */
import type { Redis } from "ioredis";
import { z } from "zod";
import { canonicalJson } from "../platform/canonical-json.ts";
import { sha256Hex, type Keyspace } from "../platform/keyspace.ts";
import { runForEach } from "../platform/redis.ts";

const KEY_SECONDS = 86_400;
const EVENT_SECONDS = 7 * 86_400;

export interface Claim {
  /** The id for a notification that is new. */
  readonly id: string;
  readonly callerId: string;
  readonly userId: string;
  readonly templateId: string;
  readonly idempotencyKey: string | undefined;
  readonly eventId: string | undefined;
  /** Digest of what was asked, the same for the same body however its keys are ordered. */
  readonly bodyHash: string;
}

export type ClaimResult =
  | { readonly kind: "new"; readonly id: string }
  /** Asked before: this is its id. */
  | { readonly kind: "repeated"; readonly id: string }
  /** The key was used with another body, or the event id for another user or template. */
  | { readonly kind: "conflict"; readonly what: "idempotency_key" | "event_id" };

export interface IdempotencyStore {
  /** In the order given. */
  claim(claims: readonly Claim[]): Promise<ClaimResult[]>;
}

const eventSchema = z.object({ id: z.string(), user: z.string(), template: z.string() });
const claimedSchema = z.object({ hash: z.string(), id: z.string() });

/** Hex digest of a request body. */
export function hashBody(body: unknown): string {
  return sha256Hex(canonicalJson(body));
}

export function createIdempotencyStore(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
}): IdempotencyStore {
  const { redis, keyspace } = deps;

  /** What each key held before; null where this claim set it. */
  async function setIfAbsent(
    entries: readonly { key: string; value: string; seconds: number }[],
  ): Promise<(string | null)[]> {
    const replies = await runForEach(redis, entries, (target, { key, value, seconds }) =>
      target.call("SET", key, value, "EX", seconds, "NX", "GET"),
    );
    return replies.map((reply) => (typeof reply === "string" ? reply : null));
  }

  return {
    async claim(claims) {
      const results: ClaimResult[] = claims.map(({ id }) => ({ kind: "new", id }));

      const keyed = claims.flatMap((claim, at) =>
        claim.idempotencyKey === undefined ? [] : [{ claim, at, key: claim.idempotencyKey }],
      );
      const heldByKey = await setIfAbsent(
        keyed.map(({ claim, key }) => ({
          key: keyspace.plain(`idem:${sha256Hex(`${claim.callerId}\n${key}`)}`),
          value: JSON.stringify({ hash: claim.bodyHash, id: claim.id }),
          seconds: KEY_SECONDS,
        })),
      );
      keyed.forEach(({ claim, at }, index) => {
        const held = heldByKey[index];
        if (held === null || held === undefined) return;
        const before = claimedSchema.parse(JSON.parse(held));
        if (before.hash !== claim.bodyHash) {
          results[at] = { kind: "conflict", what: "idempotency_key" };
        } else if (before.id !== claim.id) results[at] = { kind: "repeated", id: before.id };
      });

      const events = claims.flatMap((claim, at) => {
        const result = results[at];
        if (claim.eventId === undefined || result === undefined) return [];
        if (result.kind === "conflict") return [];
        return [{ at, claim, id: result.id, eventId: claim.eventId }];
      });
      const heldByEvent = await setIfAbsent(
        events.map(({ id, eventId, claim }) => ({
          key: keyspace.plain(`event:${sha256Hex(eventId)}`),
          value: JSON.stringify({ id, user: claim.userId, template: claim.templateId }),
          seconds: EVENT_SECONDS,
        })),
      );
      events.forEach(({ at, id, claim }, index) => {
        const held = heldByEvent[index];
        if (held === null || held === undefined) return;
        const before = eventSchema.parse(JSON.parse(held));
        const same = before.user === claim.userId && before.template === claim.templateId;
        if (!same) results[at] = { kind: "conflict", what: "event_id" };
        else if (before.id !== id) results[at] = { kind: "repeated", id: before.id };
      });
      return results;
    },
  };
}
