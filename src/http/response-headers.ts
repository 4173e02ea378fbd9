/** Headers that every answer carries: what a browser may do with it, and which origins may read it. */
import type { Request } from "express";
import { putHeader, type HeaderList } from "./header-list.ts";

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

const SECURITY_HEADERS: Readonly<HeaderList> = [
  ["Content-Security-Policy", CONTENT_SECURITY_POLICY],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "no-referrer"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  // Answers are about people unless a route says otherwise.
  ["Cache-Control", "no-store"],
].flat();

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

/** A list of its own for each answer, to which the others are added. */
export function securityHeaders(req: Request): HeaderList {
  const list = SECURITY_HEADERS.slice();
  if (req.secure) list.push("Strict-Transport-Security", `max-age=${ONE_YEAR_SECONDS}`);
  return list;
}

export interface Cors {
  /** Lets a listed origin read the answer. */
  apply(req: Request, headers: HeaderList): void;
  /** Adds what a browser asks before a request that is not simple. */
  preflight(headers: HeaderList, methods: string): void;
}

/** @param origins exact origins; `*` lets any origin read, which is safe as no cookies are used. */
export function createCors(origins: readonly string[]): Cors {
  const any = origins.includes("*");
  const listed = new Set(origins);
  return {
    apply(req, headers) {
      if (listed.size === 0) return;
      putHeader(headers, "Vary", "Origin");
      const origin = req.headers.origin;
      if (origin === undefined || !(any || listed.has(origin))) return;
      putHeader(headers, "Access-Control-Allow-Origin", any ? "*" : origin);
      putHeader(headers, "Access-Control-Expose-Headers", READABLE_HEADERS);
    },
    preflight(headers, methods) {
      if (!headers.includes("Access-Control-Allow-Origin")) return;
      putHeader(headers, "Access-Control-Allow-Methods", methods);
      putHeader(headers, "Access-Control-Allow-Headers", REQUEST_HEADERS);
      putHeader(headers, "Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
    },
  };
}
