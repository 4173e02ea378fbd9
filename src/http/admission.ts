/** Who may pass: verifies the token, checks the scope, counts the request against its limit. */
import type { IncomingMessage } from "node:http";
import type { Caller } from "../contract/caller.ts";
import { Problem } from "../platform/problems.ts";
import type { Exchange } from "./exchange.ts";
import { putHeader } from "./header-list.ts";
import { putRateHeaders } from "./rate-decision.ts";
import type { RateLimiter, RateSubject } from "./rate-limiter.ts";
import type { Route } from "./route.ts";

export interface AdmissionOptions {
  readonly verifier: { verify(token: string): Promise<Caller> };
  readonly rateLimiter: RateLimiter;
  readonly failedLogins: { record(ip: string): void; blockedForSeconds(ip: string): number };
}

export interface Admitted {
  /** `undefined` on a public route. */
  readonly caller: Caller | undefined;
  /** Counts what the request costs beyond 1, once its body is known. @throws Problem 429 or 503. */
  readonly charge: (cost: number) => Promise<void>;
}

export type Admit = (route: Route, req: IncomingMessage, exchange: Exchange) => Promise<Admitted>;

const BEARER_PATTERN = /^bearer +(\S+)$/i;

// RFC 6750, section 3: a 401 names the scheme; it names an error only if a token was sent.
const CHALLENGE = 'Bearer realm="schoolbell"';
const CHALLENGE_TOKEN = `${CHALLENGE}, error="invalid_token"`;

/** @returns a function that throws Problem 401, 403, 429 or 503 for whoever may not pass. */
export function createAdmission(options: AdmissionOptions): Admit {
  const { rateLimiter } = options;

  async function count(
    subject: RateSubject,
    exchange: Exchange,
    { failOpen, more }: { failOpen: boolean; more?: number },
  ): Promise<void> {
    const decision = await rateLimiter.take(subject, failOpen, more);
    if (decision === undefined) return;
    putRateHeaders(exchange.headers, decision);
    if (decision.allowed) return;
    throw new Problem("rate_limited", limitDetail(decision.limit, 1 + (more ?? 0)), {
      retryAfterSeconds: decision.retryAfterSeconds,
    });
  }

  return async (route, req, exchange) => {
    let caller: Caller | undefined;
    if (route.security.access === "token") {
      const { authorization } = req.headers;
      try {
        caller = await identify(authorization, exchange, options);
      } catch (error) {
        // It is refused anyhow, so this must not fail where Redis is away.
        if (isAboutToken(error)) await count(anonymous(exchange), exchange, { failOpen: true });
        challenge(authorization, error, exchange);
        throw error;
      }
      assertScope(route, caller);
    }
    if (route.rateLimit === "none") return { caller, charge: free };
    const subject = subjectOf(route, caller, exchange);
    const failOpen = route.method === "get";
    await count(subject, exchange, { failOpen });
    return {
      caller,
      async charge(cost) {
        if (cost > 1) await count(subject, exchange, { failOpen, more: cost - 1 });
      },
    };
  };
}

async function free(): Promise<void> {}

/** Tells a caller without a valid token what is asked for. */
function challenge(authorization: string | undefined, error: unknown, exchange: Exchange): void {
  if (!(error instanceof Problem) || error.code !== "unauthenticated") return;
  const sent = tokenIn(authorization) !== undefined;
  putHeader(exchange.headers, "WWW-Authenticate", sent ? CHALLENGE_TOKEN : CHALLENGE);
}

function tokenIn(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER_PATTERN.exec(authorization)?.[1];
}

/** Nobody is known by a valid token: not so while tokens cannot be checked. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof Problem && (error.code === "unauthenticated" || error.code === "rate_limited")
  );
}

function limitDetail(limit: number, cost: number): string {
  const known = `The limit is ${limit} requests a minute`;
  if (cost === 1) return `${known}.`;
  if (cost <= limit) return `${known}, and this one counts as ${cost}.`;
  return `${known}. This one counts as ${cost} and can never pass: split it.`;
}

async function identify(
  authorization: string | undefined,
  exchange: Exchange,
  { verifier, failedLogins }: AdmissionOptions,
): Promise<Caller> {
  if (authorization === undefined) {
    throw new Problem("unauthenticated", "Send a token: Authorization: Bearer <token>.");
  }
  const token = tokenIn(authorization);
  if (token === undefined) {
    throw new Problem("unauthenticated", "The Authorization header must be: Bearer <token>.");
  }
  try {
    const caller = await verifier.verify(token);
    exchange.callerId = caller.userId;
    return caller;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "unauthenticated") throw error;
    // Only failures are held back: a whole school may sit behind the address of one bad client.
    const blockedSeconds = failedLogins.blockedForSeconds(exchange.ip);
    failedLogins.record(exchange.ip);
    if (blockedSeconds === 0) throw error;
    throw new Problem("rate_limited", "Too many tokens from this address did not verify.", {
      retryAfterSeconds: blockedSeconds,
    });
  }
}

function assertScope(route: Route, caller: Caller): void {
  if (route.security.access !== "token") return;
  const { scopes } = route.security;
  if (scopes.length === 0 || scopes.some((scope) => caller.scopes.has(scope))) return;
  throw new Problem("forbidden", `The token needs the scope ${scopes.join(" or ")}.`);
}

function anonymous({ ip }: Exchange): RateSubject {
  return { kind: "anonymous", id: ip };
}

/** Tokens that may notify belong to services and get the service's limit. */
function subjectOf(route: Route, caller: Caller | undefined, exchange: Exchange): RateSubject {
  if (caller === undefined) return anonymous(exchange);
  if (route.rateLimit === "subscribe") return { kind: "subscribe", id: caller.userId };
  const isService = [...caller.scopes].some(
    (scope) => scope === "notify:send" || scope.startsWith("notify:send:"),
  );
  return { kind: isService ? "service" : "user", id: caller.userId };
}
