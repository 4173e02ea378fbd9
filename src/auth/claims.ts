/** Reads who is asking out of the claims of a token whose signature is already verified. */
import { z } from "zod";
import type { Caller } from "../contract/caller.ts";
import { USER_ID_PATTERN } from "../contract/notification-request.ts";
import { Problem } from "../platform/problems.ts";

/** Far more than any token needs; a token cannot make the set of scopes large. */
const MAX_SCOPES = 100;

/** The last instant a JavaScript date can hold, in milliseconds. */
const MAX_INSTANT_MS = 8.64e15;

const USER_CLAIMS = ["sub", "user_id", "teacher_id"] as const;

const claimsSchema = z.object({
  exp: z.number(),
  sub: z.unknown().optional(),
  user_id: z.unknown().optional(),
  teacher_id: z.unknown().optional(),
  scope: z.string("the claim scope must be a string with spaces between scopes").optional(),
  scopes: z.array(z.string(), "the claim scopes must be an array of strings").optional(),
});

type Claims = z.infer<typeof claimsSchema>;

/** @throws Problem `unauthenticated`, naming the claim that is missing or wrong. */
export function callerOf(payload: unknown): Caller {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Problem("unauthenticated", `The token is not usable: ${issue?.message ?? "claims"}.`);
  }
  return {
    userId: userIdOf(parsed.data),
    scopes: scopesOf(parsed.data),
    expiresAt: Math.min(parsed.data.exp * 1_000, MAX_INSTANT_MS),
  };
}

/** Issuers name the user differently; where they give several names, those must agree. */
function userIdOf(claims: Claims): string {
  const given = USER_CLAIMS.filter((name) => claims[name] !== undefined && claims[name] !== null);
  const [first] = given;
  if (first === undefined) {
    throw new Problem("unauthenticated", `The token names no user (${USER_CLAIMS.join(", ")}).`);
  }
  const userId = claims[first];
  if (given.some((name) => claims[name] !== userId)) {
    throw new Problem("unauthenticated", `The token names different users (${given.join(", ")}).`);
  }
  if (typeof userId !== "string" || !USER_ID_PATTERN.test(userId)) {
    throw new Problem(
      "unauthenticated",
      `The user in the token's ${first} must be 1 to 128 letters, digits or . _ @ -`,
    );
  }
  return userId;
}

function scopesOf(claims: Claims): ReadonlySet<string> {
  const scopes = [...(claims.scope?.split(" ") ?? []), ...(claims.scopes ?? [])].filter(
    (scope) => scope !== "",
  );
  if (scopes.length > MAX_SCOPES) {
    throw new Problem("unauthenticated", `The token has more than ${MAX_SCOPES} scopes.`);
  }
  return new Set(scopes);
}
