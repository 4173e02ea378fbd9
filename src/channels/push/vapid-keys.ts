/**
 * The VAPID keys of this installation (RFC 8292): the one that browsers subscribe with now, and those
 * before it. A push service takes a message only with the key its subscription was made with
 * (RFC 8292, section 4.2), so a key goes on signing until nobody's subscription needs it.
 */
import { createECDH, createHash } from "node:crypto";
import type { VapidPair } from "../../platform/key-material.ts";

/** What web-push insists on; OpenSSL itself would take a shorter one. */
const PRIVATE_KEY_BYTES = 32;
/** 96 bits: no two keys of an installation ever meet, and a stored subscription stays small. */
const ID_LENGTH = 16;

export interface VapidKey extends VapidPair {
  /** A short digest of the public key: stored with each subscription, shown in logs. */
  readonly id: string;
}

export interface VapidKeys {
  /** What browsers subscribe with. */
  readonly current: VapidKey;
  /**
   * The key that a stored subscription was made with; undefined if it is configured no more. What was
   * stored before keys had ids was made with the oldest.
   */
  ofSubscription(keyId: string | undefined): VapidKey | undefined;
  /** By a public key as a browser states it, in base64url. */
  ofPublicKey(publicKey: string): VapidKey | undefined;
}

/** The same for all ways to write a key: padded or not, base64 or base64url. */
export function vapidKeyId(publicKey: string): string {
  const point = Buffer.from(publicKey, "base64url");
  return createHash("sha256").update(point).digest("base64url").slice(0, ID_LENGTH);
}

/** What is wrong with a pair; undefined if nothing is. */
export function pairFault({
  publicKey,
  privateKey,
}: VapidPair): "private" | "mismatch" | undefined {
  const scalar = Buffer.from(privateKey, "base64url");
  const ecdh = createECDH("prime256v1");
  try {
    if (scalar.length !== PRIVATE_KEY_BYTES) return "private";
    ecdh.setPrivateKey(scalar);
  } catch {
    return "private";
  }
  return ecdh.getPublicKey("base64url") === publicKey ? undefined : "mismatch";
}

/** @param previous those before the current one, the latest first */
export function createVapidKeys(
  current: VapidPair,
  previous: readonly VapidPair[] = [],
): VapidKeys {
  const withId = (pair: VapidPair): VapidKey => ({ ...pair, id: vapidKeyId(pair.publicKey) });
  const first = withId(current);
  const all = [first, ...previous.map(withId)];
  const byId = new Map(all.map((key) => [key.id, key]));
  return {
    current: first,
    ofSubscription: (keyId) => (keyId === undefined ? all.at(-1) : byId.get(keyId)),
    ofPublicKey: (publicKey) => byId.get(vapidKeyId(publicKey)),
  };
}
