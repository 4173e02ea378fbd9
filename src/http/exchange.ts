/** What is known about one request while it is answered, and the line written once it is. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Request } from "express";
import type { ProblemCode } from "../platform/problems.ts";
import type { Logger } from "../platform/logger.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { HeaderList } from "./header-list.ts";

export interface Exchange {
  readonly requestId: string;
  readonly ip: string;
  /** Of the answer, whatever it will be. */
  readonly headers: HeaderList;
  /** The pattern of the matched route; `undefined` until one matches. */
  route: string | undefined;
  callerId: string | undefined;
  code: ProblemCode | undefined;
}

const REQUEST_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
const MAX_LOGGED_URL = 512;
/** `sms`: the signed name of a text message, in the address that its provider calls back. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set(["token", "ticket", "access_token", "sms"]);

export interface ExchangeLog {
  readonly logger: Pick<Logger, "debug" | "info" | "warn">;
  readonly metrics: Pick<Metrics, "httpRequests">;
}

/** Takes the caller's X-Request-Id when it is well formed, answers with it, and logs at the end. */
export function openExchange(
  req: Request,
  res: ServerResponse,
  headers: HeaderList,
  log: ExchangeLog,
): Exchange {
  const given = req.headers["x-request-id"];
  const requestId =
    typeof given === "string" && REQUEST_ID_PATTERN.test(given) ? given : randomUUID();
  const exchange: Exchange = {
    requestId,
    ip: req.ip ?? "unknown",
    headers,
    route: undefined,
    callerId: undefined,
    code: undefined,
  };
  headers.push("X-Request-Id", requestId);
  const startedAt = performance.now();
  res.once("close", () => writeLine(req, res, exchange, log, performance.now() - startedAt));
  return exchange;
}

function writeLine(
  req: Request,
  res: ServerResponse,
  exchange: Exchange,
  { logger, metrics }: ExchangeLog,
  durationMs: number,
): void {
  const route = exchange.route ?? "unmatched";
  // Methods and statuses are few and routes are patterns, so the number of series stays bounded.
  metrics.httpRequests.inc({ method: req.method, route, status: res.statusCode });
  const level = res.statusCode >= 500 ? "warn" : res.statusCode >= 400 ? "info" : "debug";
  logger[level](
    {
      request_id: exchange.requestId,
      method: req.method,
      url: loggedUrl(req.url),
      route,
      status: res.statusCode,
      code: exchange.code,
      caller: exchange.callerId,
      duration_ms: Math.round(durationMs * 10) / 10,
      aborted: res.writableFinished ? undefined : true,
    },
    "http.request",
  );
}

/** The address without what would let a reader of the log act as the caller. */
function loggedUrl(url: string): string {
  const mark = url.indexOf("?");
  if (mark < 0) return url.slice(0, MAX_LOGGED_URL);
  const query = new URLSearchParams(url.slice(mark + 1));
  for (const name of query.keys()) {
    if (SECRET_PARAMETERS.has(name.toLowerCase())) query.set(name, "redacted");
  }
  return `${url.slice(0, mark)}?${query.toString()}`.slice(0, MAX_LOGGED_URL);
}
