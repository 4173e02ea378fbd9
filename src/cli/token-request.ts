/** What kind of token was asked for: the options of `token`, judged. */
import { KNOWN_SCOPES } from "../auth/scopes.ts";
import { userIdSchema } from "../contract/notification-request.ts";
import { WrongUse } from "./run-command.ts";

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A token cannot be taken back; nobody needs one for longer than a year. */
const MAX_TTL_SECONDS = 366 * 86_400;

export interface TokenOptions {
  readonly user?: string;
  readonly scope?: string;
  /** `30m`, `8h`, `7d`. */
  readonly ttl: string;
}

export interface TokenRequest {
  readonly userId: string;
  readonly scopes: string[];
  readonly ttlSeconds: number;
}

/** @throws WrongUse saying which option is wrong, and what it may be. */
export function readTokenRequest(options: TokenOptions): TokenRequest {
  if (options.user === undefined) {
    throw new WrongUse("--user is missing: whose token shall it be?");
  }
  const user = userIdSchema.safeParse(options.user);
  if (!user.success) {
    throw new WrongUse(`--user ${user.error.issues[0]?.message ?? "is not valid"}`);
  }
  const scopes = (options.scope ?? "").split(/\s+/).filter((scope) => scope !== "");
  const strange = scopes.find((scope) => !KNOWN_SCOPES.includes(scope));
  if (strange !== undefined) {
    throw new WrongUse(`--scope "${strange}" is no scope; known: ${KNOWN_SCOPES.join(", ")}`);
  }
  const ttlSeconds = parseTtl(options.ttl);
  if (ttlSeconds === undefined) {
    throw new WrongUse(`--ttl "${options.ttl}" must be like 30m, 8h or 7d, at most 366d`);
  }
  return { userId: user.data, scopes, ttlSeconds };
}

function parseTtl(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (SECONDS_PER_UNIT[match?.[2] ?? ""] ?? Number.NaN);
  return seconds >= 1 && seconds <= MAX_TTL_SECONDS ? seconds : undefined;
}
