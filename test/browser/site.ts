/** The page and its service worker on a server without the platform behind it, for tests of those two. */
import { z } from "zod";
import { createHttpApp } from "../../src/http/app.ts";
import { publicRoute } from "../../src/http/route.ts";
import { listen } from "../../src/http/server.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { Problem, type ProblemCode } from "../../src/platform/problems.ts";
import { bundleBrowser } from "../../src/roles/pages/bundle.ts";
import { landingRoutes, pageRoutes } from "../../src/roles/pages/page-routes.ts";

interface Receipt {
  readonly receipt: string;
  readonly event: string;
  readonly minutes?: number | undefined;
}

export interface Site {
  readonly url: string;
  /** The next receipt that the service worker posts and that is taken. */
  nextReceipt(): Promise<Receipt>;
  /** What receipts are answered from now on instead of being taken; `undefined`: they are again. */
  refuseReceipts(code: ProblemCode | undefined): void;
  /** How many were refused so far. */
  readonly refused: () => number;
  close(): Promise<void>;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const receiptSchema = z.object({
  receipt: z.string(),
  event: z.string(),
  minutes: z.number().optional(),
});

export async function openSite(): Promise<Site> {
  const receipts: Receipt[] = [];
  const waiting: ((receipt: Receipt) => void)[] = [];
  let refusal: ProblemCode | undefined;
  let refused = 0;
  const assets = await bundleBrowser();
  const receiptRoute = publicRoute({
    method: "post",
    path: "/receipts",
    summary: "Receipts",
    tag: "Test",
    rateLimit: "none",
    body: receiptSchema,
    responses: {},
    problems: [],
    handle({ body }) {
      if (refusal !== undefined) {
        refused += 1;
        throw new Problem(refusal, "as the test wants");
      }
      const taker = waiting.shift();
      if (taker === undefined) receipts.push(body);
      else taker(body);
      return { status: 204 };
    },
  });
  // There in development, as the landing pages are; by it the page knows that names will do.
  const outboxRoute = publicRoute({
    method: "get",
    path: "/dev/outbox",
    summary: "Outbox",
    tag: "Test",
    rateLimit: "none",
    responses: {},
    problems: [],
    handle: () => ({ status: 200, body: { in_use: true, messages: [] } }),
  });
  const app = createHttpApp({
    routes: [...pageRoutes(assets), ...landingRoutes(assets), receiptRoute, outboxRoute],
    verifier: { verify: () => Promise.reject(new Error("no route here asks for a token")) },
    rateLimiter: { take: () => Promise.resolve(undefined) },
    failedLogins: { record: () => undefined, blockedForSeconds: () => 0 },
    logger: quiet,
    metrics: createMetrics(),
    trustProxy: 0,
    corsOrigins: [],
  });
  const server = await listen(app, { host: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${server.port}`,
    refuseReceipts(code) {
      refusal = code;
    },
    refused: () => refused,
    nextReceipt() {
      const next = receipts.shift();
      if (next !== undefined) return Promise.resolve(next);
      return new Promise((resolve) => void waiting.push(resolve));
    },
    close: () => server.close(1_000),
  };
}
