/** What a push service checks of the sender's identity (RFC 8292). */
import { importJWK, jwtVerify } from "jose";
import { z } from "zod";

const MAX_LIFETIME_SECONDS = 86_400;
const POINT_BYTES = 65;

export interface VapidClaims {
  readonly aud: string;
  readonly exp: number;
  readonly sub: string;
  /** The sender's public key as it was sent. */
  readonly key: string;
  /** The token itself. */
  readonly token: string;
}

export type VapidVerdict =
  | { readonly accepted: true; readonly claims: VapidClaims | undefined }
  | { readonly accepted: false; readonly status: 401 | 403; readonly reason: string };

const claimsSchema = z.object({
  aud: z.string(),
  exp: z.number(),
  sub: z.string().regex(/^(mailto:|https:)/, "sub is no mailto: or https: address"),
});

function parseAuthorization(header: string): { token: string; key: string } | undefined {
  const parameters = /^vapid (.*)$/i.exec(header)?.[1]?.split(",") ?? [];
  const valueOf = (name: string): string | undefined =>
    parameters
      .map((text) => text.trim())
      .find((text) => text.startsWith(`${name}=`))
      ?.slice(2);
  const token = valueOf("t");
  const key = valueOf("k");
  return token === undefined || key === undefined ? undefined : { token, key };
}

async function verify(
  { token, key }: { token: string; key: string },
  origin: string,
  now: number,
): Promise<VapidClaims> {
  const point = Buffer.from(key, "base64url");
  if (point.length !== POINT_BYTES || point[0] !== 4) throw new Error("k is not a P-256 point");
  const publicKey = await importJWK(
    {
      kty: "EC",
      crv: "P-256",
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33).toString("base64url"),
    },
    "ES256",
  );
  const { payload } = await jwtVerify(token, publicKey, {
    algorithms: ["ES256"],
    audience: origin,
    requiredClaims: ["exp", "sub"],
    currentDate: new Date(now),
  });
  const claims = claimsSchema.parse(payload);
  if (claims.exp > now / 1_000 + MAX_LIFETIME_SECONDS) {
    throw new Error("exp is more than 24 hours away");
  }
  return { ...claims, key, token };
}

/**
 * @param requiredKey the key the browser subscribed with; undefined: anyone may send.
 * @param now epoch milliseconds
 * @returns 401 for a missing or unreadable identity, 403 for a wrong one.
 */
export async function checkVapid(
  authorization: string | undefined,
  origin: string,
  requiredKey: string | undefined,
  now = Date.now(),
): Promise<VapidVerdict> {
  if (authorization === undefined) {
    return requiredKey === undefined
      ? { accepted: true, claims: undefined }
      : { accepted: false, status: 401, reason: "this subscription wants a signed request" };
  }
  const given = parseAuthorization(authorization);
  if (given === undefined) return { accepted: false, status: 401, reason: "no t and k" };
  if (requiredKey !== undefined && given.key !== requiredKey) {
    return { accepted: false, status: 403, reason: "the browser subscribed to another sender" };
  }
  try {
    return { accepted: true, claims: await verify(given, origin, now) };
  } catch (error) {
    return { accepted: false, status: 403, reason: String(error) };
  }
}
