/** Starts a real listening server around given routes, for tests that knock at the front door. */
import { z } from "zod";
import { createFailedLogins } from "../../src/auth/failed-logins.ts";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { createTokenVerifier } from "../../src/auth/tokens.ts";
import { createHttpApp, type HttpAppOptions, type RejectedRequest } from "../../src/http/app.ts";
import { problemDocumentSchema, type ProblemDocument } from "../../src/http/problem.ts";
import { publicRoute, tokenRoute, type Route } from "../../src/http/route.ts";
import { listen } from "../../src/http/server.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics, type Metrics } from "../../src/platform/metrics.ts";

export const SECRET = "a secret that only this test knows";

export interface OpenServer {
  readonly url: string;
  /** Everything that was logged, as text. */
  readonly logs: string[];
  readonly rejected: RejectedRequest[];
  readonly metrics: Metrics;
  token(scopes?: readonly string[], userId?: string): Promise<string>;
  close(): Promise<void>;
}

export async function openServer(
  routes: readonly Route[],
  options: Partial<HttpAppOptions> & { readonly failedLoginLimit?: boolean } = {},
): Promise<OpenServer> {
  const logs: string[] = [];
  const logger = createLogger({
    level: "debug",
    destination: { write: (line: string) => void logs.push(line) },
  });
  const rejected: RejectedRequest[] = [];
  const metrics = createMetrics();
  const clock = { now: () => Date.now() };
  const app = createHttpApp({
    routes,
    logger,
    metrics,
    verifier: createTokenVerifier({ secrets: [SECRET], clock, logger }),
    rateLimiter: { take: () => Promise.resolve(undefined) },
    failedLogins: createFailedLogins({
      enabled: options.failedLoginLimit ?? false,
      clock,
      logger,
      onFailure: () => metrics.authFailures.inc(),
    }),
    trustProxy: 0,
    corsOrigins: [],
    onRejected: (event) => rejected.push(event),
    ...options,
  });
  const server = await listen(app, { host: "127.0.0.1", port: 0 });
  const signer = createTokenSigner(SECRET);
  return {
    url: `http://127.0.0.1:${server.port}`,
    logs,
    rejected,
    metrics,
    token: (scopes = [], userId = "teacher-1") => signer.sign({ userId, scopes, ttlSeconds: 600 }),
    close: () => server.close(1_000),
  };
}

/** Reads a refusal and checks on the way that it has the promised form. */
export async function problemFrom(response: Response): Promise<ProblemDocument> {
  expectProblemType(response);
  return problemDocumentSchema.strict().parse(await response.json());
}

function expectProblemType(response: Response): void {
  const type = response.headers.get("content-type");
  if (type !== "application/problem+json") throw new Error(`not a problem document: ${type}`);
}

export const anyReply = { 200: { description: "what was understood" } };

/** Repeats what the handler was given. */
export const echoRoute = publicRoute({
  method: "post",
  path: "/echo",
  summary: "Repeats the body",
  tag: "test",
  rateLimit: "none",
  body: z.object({
    user_id: z.string(),
    count: z.int().optional(),
    data: z.record(z.string(), z.unknown()).optional(),
  }),
  responses: anyReply,
  problems: [],
  handle: ({ body }) => ({ status: 200, body }),
});

/** Says who the caller is. */
export function whoRoute(scopes: readonly string[], path = "/who"): Route {
  return tokenRoute({
    method: "get",
    path,
    summary: "Names the caller",
    tag: "test",
    rateLimit: "none",
    scopes,
    responses: anyReply,
    problems: [],
    handle: ({ caller }) => ({ status: 200, body: { user_id: caller.userId } }),
  });
}
