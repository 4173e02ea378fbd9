/** The HTTP application: mounts routes given as data and answers every request in the same way. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import express, { type Request, type Response } from "express";
import type { Logger } from "../platform/logger.ts";
import type { Metrics } from "../platform/metrics.ts";
import { Problem, type ProblemCode } from "../platform/problems.ts";
import { createAdmission, type AdmissionOptions } from "./admission.ts";
import { openExchange, type Exchange } from "./exchange.ts";
import { createFormReader } from "./form-body.ts";
import { putHeader } from "./header-list.ts";
import { createJsonBodyReader } from "./json-body.ts";
import { problemDocument, problemOf, PROBLEM_TYPE } from "./problem.ts";
import { createCors, securityHeaders, type Cors } from "./response-headers.ts";
import type { Reply, RequestContext, Route } from "./route.ts";
import { createTextReader } from "./text-body.ts";
import { validate } from "./validate.ts";

/** A refused request (4xx) of a known route, for the audit trail. */
export interface RejectedRequest {
  readonly code: ProblemCode;
  /** The route's pattern, such as `/notifications/:id`. */
  readonly path: string;
  readonly callerId?: string;
  readonly requestId: string;
  readonly ip: string;
}

export interface HttpAppOptions extends AdmissionOptions {
  readonly routes: readonly Route[];
  readonly logger: Pick<Logger, "debug" | "info" | "warn" | "error">;
  readonly metrics: Pick<Metrics, "httpRequests" | "rejectedRequests">;
  /** Reverse proxies in front whose X-Forwarded-* headers are believed. */
  readonly trustProxy: number;
  readonly corsOrigins: readonly string[];
  readonly onRejected?: (event: RejectedRequest) => void;
}

/** @throws Error when two routes have the same method and path. */
export function createHttpApp(options: HttpAppOptions): RequestListener {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("trust proxy", options.trustProxy);

  const cors = createCors(options.corsOrigins);
  const open = (req: Request, res: ServerResponse): Exchange => {
    const headers = securityHeaders(req);
    cors.apply(req, headers);
    return openExchange(req, res, headers, options);
  };
  const exchanges = new WeakMap<Request, Exchange>();
  const exchangeOf = (req: Request, res: Response): Exchange => {
    const known = exchanges.get(req);
    if (known !== undefined) return known;
    const opened = open(req, res);
    exchanges.set(req, opened);
    return opened;
  };

  const fixedPaths = new Map<string, AnswerRequest>();
  for (const [path, routes] of groupByPath(options.routes)) {
    const answer = createPathHandler(path, routes, options, cors);
    if (!/[:*{]/.test(path)) fixedPaths.set(path, answer);
    app.all(path, (req, res) => answer(req, res, exchangeOf(req, res)));
  }
  app.use(() => {
    throw new Problem("not_found", "There is no route with this path.");
  });
  const refuse = createRefusal(options);
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, req: Request, res: Response, _next: () => void) => {
    refuse(error, res, exchangeOf(req, res));
  });

  return (incoming, res) => {
    const answer = fixedPaths.get(incoming.url ?? "");
    if (answer === undefined) return app(incoming, res);
    const req = asExpressRequest(incoming, app.request);
    const exchange = open(req, res);
    answer(req, res, exchange).catch((error: unknown) => refuse(error, res, exchange));
  };
}

/**
 * Gives a request what express would (its address behind proxies, its query), without its router,
 * which a fixed path does not need: an ordinary request spent an eighth of its time there.
 */
function asExpressRequest(incoming: IncomingMessage, request: object): Request {
  return Object.setPrototypeOf(incoming, request);
}

/** Fixed paths come before those with parameters, whatever order the rooms were wired in. */
function groupByPath(routes: readonly Route[]): [path: string, routes: Route[]][] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const group = groups.get(route.path) ?? [];
    if (group.some((other) => other.method === route.method)) {
      throw new Error(`two routes for ${route.method} ${route.path}`);
    }
    groups.set(route.path, [...group, route]);
  }
  return [...groups].sort(([a], [b]) => Number(a.includes(":")) - Number(b.includes(":")));
}

type AnswerRequest = (req: Request, res: ServerResponse, exchange: Exchange) => Promise<void>;

/** Finds the route of a method; answers OPTIONS and other methods for all routes of one path. */
function createPathHandler(
  path: string,
  routes: readonly Route[],
  options: HttpAppOptions,
  cors: Cors,
): AnswerRequest {
  const byMethod = new Map<string, AnswerRequest>();
  for (const route of routes) {
    const answer = createRouteHandler(route, options);
    byMethod.set(route.method.toUpperCase(), answer);
    if (route.method === "get") byMethod.set("HEAD", answer);
  }
  const methods = [...byMethod.keys(), "OPTIONS"].join(", ");

  return async (req, res, exchange) => {
    exchange.route = path;
    const answer = byMethod.get(req.method);
    if (answer !== undefined) return await answer(req, res, exchange);
    putHeader(exchange.headers, "Allow", methods);
    if (req.method !== "OPTIONS") {
      throw new Problem("method_not_allowed", `This path takes ${methods}.`);
    }
    cors.preflight(exchange.headers, methods);
    send(res, exchange, { status: 204 });
  };
}

const BODY_READERS = {
  json: createJsonBodyReader,
  signed_json: createTextReader,
  form: createFormReader,
} as const;

function createRouteHandler(route: Route, options: HttpAppOptions): AnswerRequest {
  const admit = createAdmission(options);
  const createReader = BODY_READERS[route.bodyType ?? "json"];
  const readBody = route.body && createReader(route.bodyLimitBytes);

  return async (req, res, exchange) => {
    const { caller, charge } = await admit(route, req, exchange);
    const params = route.params && validate(route.params, req.params, "path");
    const query = route.query && validate(route.query, req.query, "query");
    const body = readBody && validate(route.body, await readBody(req, res), "body");
    if (route.cost !== undefined) await charge(route.cost(body));
    const context = contextOf(req, exchange);
    send(res, exchange, await route.handle({ params, query, body, caller, context }));
  };
}

function contextOf(req: Request, { requestId, ip }: Exchange): RequestContext {
  return {
    requestId,
    ip,
    header(name) {
      const value = req.headers[name];
      return typeof value === "string" ? value : undefined;
    },
  };
}

function send(res: ServerResponse, { headers }: Exchange, reply: Reply): void {
  const { status, body, type } = reply;
  const content = type === undefined && body !== undefined ? JSON.stringify(body) : body;
  for (const name in reply.headers) putHeader(headers, name, reply.headers[name] ?? "");
  if (content === undefined) {
    res.writeHead(status, headers).end();
    return;
  }
  if (typeof content !== "string" && !Buffer.isBuffer(content)) {
    throw new TypeError("a body with a content type of its own must be text or bytes");
  }
  headers.push("Content-Type", type ?? "application/json; charset=utf-8");
  headers.push("Content-Length", String(Buffer.byteLength(content)));
  res.writeHead(status, headers).end(content);
}

/** Answers an error as a problem document; only bugs are logged with their stack. */
function createRefusal(options: HttpAppOptions) {
  const { logger, metrics, onRejected } = options;
  return (error: unknown, res: ServerResponse, exchange: Exchange): void => {
    const problem = problemOf(error);
    exchange.code = problem.code;
    metrics.rejectedRequests.inc({ code: problem.code });
    if (problem.code === "internal") {
      logger.error(
        { err: error, request_id: exchange.requestId, route: exchange.route },
        "http.bug",
      );
    }
    if (exchange.route !== undefined && problem.status < 500) {
      onRejected?.({
        code: problem.code,
        path: exchange.route,
        requestId: exchange.requestId,
        ip: exchange.ip,
        ...(exchange.callerId === undefined ? {} : { callerId: exchange.callerId }),
      });
    }
    if (res.headersSent) {
      res.destroy();
      return;
    }
    if (problem.retryAfterSeconds !== undefined) {
      putHeader(exchange.headers, "Retry-After", String(problem.retryAfterSeconds));
    }
    const body = JSON.stringify(problemDocument(problem, exchange.requestId));
    send(res, exchange, { status: problem.status, body, type: PROBLEM_TYPE });
  };
}
