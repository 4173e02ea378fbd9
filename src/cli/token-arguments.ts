/** What `npm run token` was asked for: its arguments, parsed and judged. */
import { parseArgs } from "node:util";
import { KNOWN_SCOPES } from "../auth/scopes.ts";
import { userIdSchema } from "../contract/notification-request.ts";
import { FAMILIES } from "../contract/vocabulary.ts";

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A token cannot be taken back; nobody needs one for longer than a year. */
const MAX_TTL_SECONDS = 366 * 86_400;

export const TOKEN_USAGE = `npm run token -- --user <id> [--scope "<scopes>"] [--ttl <time>]

Prints a signed token, signed with JWT_SECRET_KEY or, in development, the key made at first start.

  --user    whose token it is: 1 to 128 letters, digits or . _ @ -
  --scope   what it may do besides reading that user's own things, separated by spaces:
            notify:send, notify:send:<family> (${FAMILIES.join(", ")}),
            notify:send:critical, analytics:read, admin
  --ttl     how long it is valid: a whole number and s, m, h or d; 1h unless given, 366d at most

  npm run token -- --user teacher_1 --scope "notify:send analytics:read" --ttl 8h
`;

export interface TokenRequest {
  readonly userId: string;
  readonly scopes: string[];
  readonly ttlSeconds: number;
}

export type ParsedArguments =
  | { readonly kind: "help" }
  | { readonly kind: "request"; readonly request: TokenRequest }
  | { readonly kind: "wrong"; readonly message: string };

/** @returns what is wanted; or one sentence that says what is wrong with the arguments. */
export function parseTokenArguments(args: readonly string[]): ParsedArguments {
  let given: { help?: boolean; user?: string; scope?: string; ttl?: string };
  try {
    given = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        user: { type: "string" },
        scope: { type: "string" },
        ttl: { type: "string" },
      },
    }).values;
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (given.help === true) return { kind: "help" };
  if (given.user === undefined) return wrong("--user is missing: whose token shall it be?");

  const user = userIdSchema.safeParse(given.user);
  if (!user.success) {
    return wrong(`--user ${user.error.issues[0]?.message ?? "is not valid"}`);
  }
  const scopes = (given.scope ?? "").split(/\s+/).filter((scope) => scope !== "");
  const strange = scopes.find((scope) => !KNOWN_SCOPES.includes(scope));
  if (strange !== undefined) {
    return wrong(`--scope "${strange}" is no scope; known: ${KNOWN_SCOPES.join(", ")}`);
  }
  const ttlSeconds = parseTtl(given.ttl ?? "1h");
  if (ttlSeconds === undefined) {
    return wrong(`--ttl "${given.ttl}" must be like 30m, 8h or 7d, at most 366d`);
  }
  return { kind: "request", request: { userId: user.data, scopes, ttlSeconds } };
}

function wrong(message: string): ParsedArguments {
  return { kind: "wrong", message };
}

function parseTtl(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (SECONDS_PER_UNIT[match?.[2] ?? ""] ?? Number.NaN);
  return seconds >= 1 && seconds <= MAX_TTL_SECONDS ? seconds : undefined;
}
