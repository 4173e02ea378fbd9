/** Headers that every answer carries: what a browser may do with it, and which origins may read it. */
import type { Request, Response } from "express";

/**
 * Pages are built from files of this server only, with no inline script or style. Swagger UI draws
 * its icons from data addresses.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["Content-Security-Policy", CONTENT_SECURITY_POLICY],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "no-referrer"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  // Answers are about people unless a route says otherwise.
  ["Cache-Control", "no-store"],
];

const ONE_YEAR_SECONDS = 31_536_000;
const PREFLIGHT_SECONDS = 600;

const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, Prefer, X-Request-Id";
const READABLE_HEADERS = [
  "X-Request-Id",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "Retry-After",
  "Location",
  "Idempotency-Replayed",
  "Preference-Applied",
].join(", ");

export function setSecurityHeaders(req: Request, res: Response): void {
  for (const [name, value] of SECURITY_HEADERS) res.setHeader(name, value);
  if (req.secure) res.setHeader("Strict-Transport-Security", `max-age=${ONE_YEAR_SECONDS}`);
}

export interface Cors {
  /** Lets a listed origin read the answer. */
  apply(req: Request, res: Response): void;
  /** Adds what a browser asks before a request that is not simple. */
  preflight(res: Response, methods: string): void;
}

/** @param origins exact origins; `*` lets any origin read, which is safe as no cookies are used. */
export function createCors(origins: readonly string[]): Cors {
  const any = origins.includes("*");
  const listed = new Set(origins);
  return {
    apply(req, res) {
      if (listed.size === 0) return;
      res.setHeader("Vary", "Origin");
      const origin = req.headers.origin;
      if (origin === undefined || !(any || listed.has(origin))) return;
      res.setHeader("Access-Control-Allow-Origin", any ? "*" : origin);
      res.setHeader("Access-Control-Expose-Headers", READABLE_HEADERS);
    },
    preflight(res, methods) {
      if (!res.hasHeader("Access-Control-Allow-Origin")) return;
      res.setHeader("Access-Control-Allow-Methods", methods);
      res.setHeader("Access-Control-Allow-Headers", REQUEST_HEADERS);
      res.setHeader("Access-Control-Max-Age", PREFLIGHT_SECONDS);
    },
  };
}
