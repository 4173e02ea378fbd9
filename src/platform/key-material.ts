/** Makes the secrets an installation needs: the token secret, the VAPID pair, the storage key. */
import { createECDH, randomBytes } from "node:crypto";

/** HS256 wants at least as many bytes as its digest has: 32 (RFC 7518, 3.2). */
const JWT_SECRET_BYTES = 48;
const ENCRYPTION_KEY_BYTES = 32;
const P256_SCALAR_BYTES = 32;

export interface VapidPair {
  /** Uncompressed P-256 point, 65 bytes, base64url. */
  readonly publicKey: string;
  /** P-256 scalar, 32 bytes, base64url. */
  readonly privateKey: string;
}

/** A pair as RFC 8292 and the browsers' `applicationServerKey` want it. */
export function makeVapidPair(): VapidPair {
  const curve = createECDH("prime256v1");
  const publicKey = curve.generateKeys("base64url", "uncompressed");
  const scalar = curve.getPrivateKey();
  // OpenSSL leaves leading zero bytes out; a shorter key would be refused about once in 256 times.
  const padded = Buffer.concat([Buffer.alloc(P256_SCALAR_BYTES - scalar.length), scalar]);
  return { publicKey, privateKey: padded.toString("base64url") };
}

/** Free of commas, which separate several secrets in `JWT_SECRET_KEY`. */
export function makeJwtSecret(): string {
  return randomBytes(JWT_SECRET_BYTES).toString("base64url");
}

/** 32 bytes in base64, for `DATA_ENCRYPTION_KEY`. */
export function makeEncryptionKey(): string {
  return randomBytes(ENCRYPTION_KEY_BYTES).toString("base64");
}
