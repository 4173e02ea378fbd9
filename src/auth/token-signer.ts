/** Signs tokens: for the command line, for development and for tests. */
import { createSecretKey } from "node:crypto";
import { SignJWT } from "jose";

interface TokenRequest {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly ttlSeconds: number;
}

export interface TokenSigner {
  /** @returns a compact JWT (HS256). */
  sign(request: TokenRequest): Promise<string>;
}

export interface TokenSignerOptions {
  /** `iss` and `aud`, where the verifier asks for them. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Epoch milliseconds; the system's time unless told. */
  readonly now?: () => number;
}

/** @param secret the HS256 secret, as text. */
export function createTokenSigner(secret: string, options: TokenSignerOptions = {}): TokenSigner {
  const key = createSecretKey(Buffer.from(secret));
  const now = options.now ?? Date.now;
  return {
    async sign({ userId, scopes, ttlSeconds }) {
      const issuedAt = Math.floor(now() / 1_000);
      const token = new SignJWT({ scope: scopes.join(" ") })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + ttlSeconds);
      if (options.issuer !== undefined) token.setIssuer(options.issuer);
      if (options.audience !== undefined) token.setAudience(options.audience);
      return await token.sign(key);
    },
  };
}
