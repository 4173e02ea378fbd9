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

export type Admit = (
  route: Route,
  req: Request,
  res: Response,
  exchange: Exchange,
) => Promise<Caller | undefined>;

const BEARER_PATTERN = /^bearer +(\S+)$/i;

/** Resolves with the caller, `undefined` on a public route. @throws Problem 401, 403, 429 or 503. */
export function createAdmission(options: AdmissionOptions): Admit {
  const { rateLimiter } = options;
  return async (route, req, res, exchange) => {
    const caller =
      route.security.access === "token" ? await identify(req, res, exchange, options) : undefined;
    if (caller !== undefined) assertScope(route, caller);
    if (route.rateLimit === "none") return caller;

    const decision = await rateLimiter.take(
      subjectOf(route, caller, exchange.ip),
      route.method === "get",
    );
    if (decision === undefined) return caller;
    for (const [name, value] of Object.entries(rateHeaders(decision))) res.setHeader(name, value);
    if (!decision.allowed) {
      throw new Problem("rate_limited", `The limit is ${decision.limit} requests a minute.`, {
        retryAfterSeconds: decision.retryAfterSeconds,
      });
    }
    return caller;
  };
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

/** Tokens that may notify belong to services and get the service's limit. */
function subjectOf(route: Route, caller: Caller | undefined, ip: string): RateSubject {
  if (caller === undefined) return { kind: "anonymous", id: ip };
  if (route.rateLimit === "subscribe") return { kind: "subscribe", id: caller.userId };
  const isService = [...caller.scopes].some(
    (scope) => scope === "notify:send" || scope.startsWith("notify:send:"),
  );
  return { kind: isService ? "service" : "user", id: caller.userId };
}
