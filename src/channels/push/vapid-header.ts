/**
 * The signed `Authorization` header of a push (RFC 8292). It says who sends and to which push service,
 * nothing of the message, so one signature serves all messages to a service: signing took half of the
 * processor time of a push (docs/BENCHMARKS.md).
 */
import { createPrivateKey, sign } from "node:crypto";
import type { Clock } from "../../platform/clock.ts";
import type { VapidKey } from "./vapid-keys.ts";

/** RFC 8292, section 2: a push service refuses more than 24 hours. Half leaves room for its clock. */
const LIFE_MS = 12 * 3_600_000;
/** Half of the life is left when a new one is made: no clock is wrong by so much. */
const RENEW_AFTER_MS = 6 * 3_600_000;
/** Push services are some four companies with a few dozen hosts each; more would be no use. */
const MAX_HEADERS = 512;

const JWT_HEADER = base64urlJson({ typ: "JWT", alg: "ES256" });

function base64urlJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** An ES256 token (RFC 7515) and the public key that it is checked with (RFC 8292, section 3). */
function signedHeader(claims: {
  readonly origin: string;
  readonly subject: string;
  readonly key: VapidKey;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}): string {
  const { origin, subject, key } = claims;
  const point = Buffer.from(key.publicKey, "base64url");
  const privateKey = createPrivateKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv: "P-256",
      // Behind the byte that says "uncompressed".
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33).toString("base64url"),
      d: key.privateKey,
    },
  });
  const exp = Math.floor(claims.expiresAt / 1_000);
  const text = `${JWT_HEADER}.${base64urlJson({ aud: origin, exp, sub: subject })}`;
  // A JWS holds both numbers of the signature side by side (RFC 7518, section 3.4), not in DER.
  const signature = sign("sha256", Buffer.from(text), {
    key: privateKey,
    dsaEncoding: "ieee-p1363",
  });
  return `vapid t=${text}.${signature.toString("base64url")}, k=${key.publicKey}`;
}

export interface VapidHeaders {
  /** For any message to this push service. @throws Error for a key that cannot sign */
  of(origin: string, key: VapidKey): string;
  /** The push service would not have it: the next one is signed anew. */
  drop(origin: string, key: VapidKey): void;
}

export function createVapidHeaders(options: {
  /** `mailto:` or `https:` address of the operator. */
  readonly subject: string;
  readonly clock: Pick<Clock, "now">;
}): VapidHeaders {
  const { subject, clock } = options;
  /** Oldest first. */
  const signed = new Map<string, { readonly at: number; readonly header: string }>();
  const nameOf = (origin: string, key: VapidKey): string => `${key.id} ${origin}`;

  return {
    of(origin, key) {
      const name = nameOf(origin, key);
      const now = clock.now();
      const known = signed.get(name);
      if (known !== undefined && now - known.at < RENEW_AFTER_MS) return known.header;
      const header = signedHeader({ origin, subject, key, expiresAt: now + LIFE_MS });
      signed.delete(name);
      const [oldest] = signed.keys();
      if (signed.size >= MAX_HEADERS && oldest !== undefined) signed.delete(oldest);
      signed.set(name, { at: now, header });
      return header;
    },
    drop: (origin, key) => void signed.delete(nameOf(origin, key)),
  };
}
