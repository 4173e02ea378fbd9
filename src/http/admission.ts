/** Who may pass: verifies the token, checks the scope, counts the request against its limit. */
import type { Request, Response } from "express";
import type { Caller } from "../contract/caller.ts";
import { Problem } from "../platform/problems.ts";
import type { Exchange } from "./exchange.ts";
import { rateHeaders } from "./rate-decision.ts";
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

export type Admit = (
  route: Route,
  req: Request,
  res: Response,
  exchange: Exchange,
) => Promise<Admitted>;

const BEARER_PATTERN = /^bearer +(\S+)$/i;

/** @returns a function that throws Problem 401, 403, 429 or 503 for whoever may not pass. */
export function createAdmission(options: AdmissionOptions): Admit {
  const { rateLimiter } = options;

  async function count(
    subject: RateSubject,
    res: Response,
    { failOpen, more }: { failOpen: boolean; more?: number },
  ): Promise<void> {
    const decision = await rateLimiter.take(subject, failOpen, more);
    if (decision === undefined) return;
    for (const [name, value] of Object.entries(rateHeaders(decision))) res.setHeader(name, value);
    if (decision.allowed) return;
    res.removeHeader("WWW-Authenticate");
    throw new Problem("rate_limited", limitDetail(decision.limit, 1 + (more ?? 0)), {
      retryAfterSeconds: decision.retryAfterSeconds,
    });
  }

  return async (route, req, res, exchange) => {
    let caller: Caller | undefined;
    if (route.security.access === "token") {
      try {
        caller = await identify(req, res, exchange, options);
      } catch (error) {
        // It is refused anyhow, so this must not fail where Redis is away.
        if (isAboutToken(error)) await count(anonymous(exchange), res, { failOpen: true });
        throw error;
      }
      assertScope(route, caller);
    }
    if (route.rateLimit === "none") return { caller, charge: async () => {} };
    const subject = subjectOf(route, caller, exchange);
    const failOpen = route.method === "get";
    await count(subject, res, { failOpen });
    return {
      caller,
      async charge(cost) {
        if (cost > 1) await count(subject, res, { failOpen, more: cost - 1 });
      },
    };
  };
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
  req: Request,
  res: Response,
  exchange: Exchange,
  { verifier, failedLogins }: AdmissionOptions,
): Promise<Caller> {
  // RFC 6750, section 3: a 401 names the scheme; it names an error only if a token was sent.
  res.setHeader("WWW-Authenticate", 'Bearer realm="schoolbell"');
  const header = req.headers.authorization;
  if (header === undefined) {
    throw new Problem("unauthenticated", "Send a token: Authorization: Bearer <token>.");
  }
  const token = BEARER_PATTERN.exec(header)?.[1];
  if (token === undefined) {
    throw new Problem("unauthenticated", "The Authorization header must be: Bearer <token>.");
  }
  res.setHeader("WWW-Authenticate", 'Bearer realm="schoolbell", error="invalid_token"');
  try {
    const caller = await verifier.verify(token);
    exchange.callerId = caller.userId;
    res.removeHeader("WWW-Authenticate");
    return caller;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "unauthenticated") {
      res.removeHeader("WWW-Authenticate");
      throw error;
    }
    // Only failures are held back: a whole school may sit behind the address of one bad client.
    const blockedSeconds = failedLogins.blockedForSeconds(exchange.ip);
    failedLogins.record(exchange.ip);
    if (blockedSeconds === 0) throw error;
    res.removeHeader("WWW-Authenticate");
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
