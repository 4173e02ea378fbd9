/** Verifies tokens (JWT). HS256 with shared secrets, or public keys from a key set; never unsigned. */
import { createSecretKey, hash } from "node:crypto";
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";
import type { Caller } from "../contract/caller.ts";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem } from "../platform/problems.ts";
import { callerOf } from "./claims.ts";
import { createVerifiedTokens, SKEW_SECONDS } from "./verified-tokens.ts";

export interface TokenVerifierOptions {
  /** HS256 secrets; several while one is being replaced by another. */
  readonly secrets?: readonly string[] | undefined;
  /** Where public keys for RS256, ES256 and EdDSA are published. */
  readonly jwksUrl?: string | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "warn">;
}

export interface TokenVerifier {
  /**
   * @throws Problem `unauthenticated` that says what is wrong with the token, or `unavailable`
   * while the key set cannot be read.
   */
  verify(token: string): Promise<Caller>;
}

/** Longer ones are refused unread; they would not fit a request line anyway. */
const MAX_TOKEN_LENGTH = 8_192;
const JWKS_TIMEOUT_MS = 2_000;
const JWKS_RETRY_SECONDS = 5;

const SHARED_ALGORITHMS = ["HS256"];
const PUBLIC_ALGORITHMS = ["RS256", "ES256", "EdDSA", "Ed25519"];

/** At least one of `secrets` and `jwksUrl` must be given for any token to be accepted. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { clock, logger } = options;
  const checkSignature = createSignatureCheck(options);
  const verified = createVerifiedTokens(clock);

  return {
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) {
        throw new Problem("unauthenticated", "The token is too long.");
      }
      const digest = hash("sha256", token, "base64");
      const known = verified.find(digest);
      if (known !== undefined) return known;
      try {
        const caller = callerOf(await checkSignature(token));
        verified.keep(digest, caller);
        return caller;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal !== undefined) throw refusal;
        // What is left without a key set is a bug; with one, it is unreachable, slow or malformed.
        if (options.jwksUrl === undefined) throw error;
        logger.warn({ err: error }, "auth.key_set_unreadable");
        throw new Problem("unavailable", "The keys that sign tokens cannot be read now.", {
          retryAfterSeconds: JWKS_RETRY_SECONDS,
        });
      }
    },
  };
}

/** Resolves with the claims of a token whose signature and times are right. */
function createSignatureCheck(options: TokenVerifierOptions): (token: string) => Promise<unknown> {
  const secrets = (options.secrets ?? []).map((secret) => createSecretKey(Buffer.from(secret)));
  const keySet = openKeySet(options.jwksUrl);
  const claimChecks = (algorithms: string[]): JWTVerifyOptions => ({
    algorithms,
    requiredClaims: ["exp"],
    clockTolerance: SKEW_SECONDS,
    currentDate: new Date(options.clock.now()),
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  });

  return async (token) => {
    const algorithm = algorithmOf(token);
    if (PUBLIC_ALGORITHMS.includes(algorithm) && keySet !== undefined) {
      const result = await jwtVerify(token, keySet, claimChecks(PUBLIC_ALGORITHMS));
      return result.payload;
    }
    if (!SHARED_ALGORITHMS.includes(algorithm) || secrets.length === 0) {
      throw new Problem(
        "unauthenticated",
        `Tokens signed with ${algorithm} are not accepted here.`,
      );
    }
    for (const secret of secrets) {
      try {
        const result = await jwtVerify(token, secret, claimChecks(SHARED_ALGORITHMS));
        return result.payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  };
}

function openKeySet(url: string | undefined): JWTVerifyGetKey | undefined {
  if (url === undefined) return undefined;
  return createRemoteJWKSet(new URL(url), { timeoutDuration: JWKS_TIMEOUT_MS });
}

function algorithmOf(token: string): string {
  let algorithm: unknown;
  try {
    algorithm = decodeProtectedHeader(token).alg;
  } catch {
    throw new Problem("unauthenticated", "The token is not a JWT.");
  }
  if (typeof algorithm !== "string" || !/^[A-Za-z0-9-]{1,20}$/.test(algorithm)) {
    throw new Problem("unauthenticated", "The token does not say how it is signed.");
  }
  if (algorithm.toLowerCase() === "none") {
    throw new Problem("unauthenticated", "Unsigned tokens (alg none) are not accepted.");
  }
  return algorithm;
}

/** Says in the caller's words what the library found; `undefined` if the token is not at fault. */
function refusalOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof errors.JWTExpired) {
    return new Problem("unauthenticated", "The token has expired.");
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new Problem("unauthenticated", claimRefusal(error));
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new Problem("unauthenticated", "The signature of the token does not match.");
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new Problem("unauthenticated", "The token is signed with an unknown key.");
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return new Problem("unauthenticated", "The token must name its key (kid).");
  }
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return new Problem("unauthenticated", "The token is not a valid JWT.");
  }
  if (error instanceof errors.JOSENotSupported) {
    return new Problem("unauthenticated", "The token asks for something that is not supported.");
  }
  return undefined;
}

function claimRefusal(error: errors.JWTClaimValidationFailed): string {
  if (error.reason === "missing") return `The token lacks the claim ${error.claim}.`;
  if (error.claim === "nbf") return "The token is not valid yet.";
  return `The claim ${error.claim} of the token is not the expected one.`;
}
