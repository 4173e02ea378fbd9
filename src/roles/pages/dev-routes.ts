/** Conveniences of the try-out page; mounted only outside production and only for this machine. */
import { z } from "zod";
import { userIdSchema } from "../../contract/notification-request.ts";
import { publicRoute, type RequestContext, type Route } from "../../http/route.ts";
import type { Clock } from "../../platform/clock.ts";
import { Problem } from "../../platform/problems.ts";
import { isLoopbackHost } from "./loopback.ts";

interface Signer {
  sign(claims: { userId: string; scopes: readonly string[]; ttlSeconds: number }): Promise<string>;
}

interface Outbox {
  /** False where a provider is set up: then texts go to phones, and to nothing that could be shown. */
  readonly inUse: boolean;
  list(): Promise<readonly { to: string; text: string; at: string; notificationId: string }[]>;
}

interface DevRouteDeps {
  readonly signer: Signer;
  readonly outbox: Outbox;
  /** Whether the peer's address is this machine's own. */
  readonly isLoopback: (address: string) => boolean;
  readonly clock: Clock;
}

/** A working day at the desk; the page asks for a new one by itself. */
const TOKEN_TTL_SECONDS = 8 * 3600;
const MAX_SCOPES = 16;
const DEFAULT_SCOPES = ["notify:send", "notify:send:critical", "analytics:read"];

/** Any of them means that a proxy stands between, whose peer may be anyone. */
const FORWARDING_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

const tokenRequestSchema = z.object({
  user_id: userIdSchema,
  scopes: z
    .array(z.string().regex(/^[a-z]+(:[a-z]+)*$/, "must be a scope such as notify:send"))
    .max(MAX_SCOPES)
    .default(DEFAULT_SCOPES),
});

const tokenSchema = z.object({
  token: z.string(),
  user_id: z.string(),
  scopes: z.array(z.string()),
  expires_at: z.iso.datetime(),
});

const outboxSchema = z.object({
  in_use: z.boolean().describe("false: an SMS provider is set up, and phones get them"),
  messages: z.array(
    z.object({
      to: z.string(),
      text: z.string(),
      at: z.string(),
      notification_id: z.string(),
    }),
  ),
});

function isForThisMachine(
  context: RequestContext,
  isLoopback: DevRouteDeps["isLoopback"],
): boolean {
  if (!isLoopback(context.ip)) return false;
  if (FORWARDING_HEADERS.some((name) => context.header(name) !== undefined)) return false;
  const host = context.header("host");
  if (host === undefined || !isLoopbackHost(host)) return false;
  // Present on every cross-origin request of a browser, and on its same-origin POSTs.
  const origin = context.header("origin");
  return origin === undefined || isLoopbackHost(URL.parse(origin)?.host ?? "");
}

/**
 * `POST /dev/token` makes a token for any user, `GET /dev/outbox` shows the texts that a phone
 * would have got. Both answer 403 to whatever is not plainly a program on this machine.
 */
export function devRoutes({ signer, outbox, isLoopback, clock }: DevRouteDeps): Route[] {
  const assertLocal = (context: RequestContext): void => {
    if (isForThisMachine(context, isLoopback)) return;
    throw new Problem(
      "forbidden",
      "Development routes answer only requests made on this machine, without a proxy",
    );
  };

  return [
    publicRoute({
      method: "post",
      path: "/dev/token",
      summary: "A token for trying things out",
      tag: "Development",
      rateLimit: "none",
      documented: false,
      body: tokenRequestSchema,
      responses: { 200: { description: "The token", schema: tokenSchema } },
      problems: ["invalid_request", "forbidden"],
      async handle({ body, context }) {
        assertLocal(context);
        const { user_id: userId, scopes } = body;
        const token = await signer.sign({ userId, scopes, ttlSeconds: TOKEN_TTL_SECONDS });
        const expiresAt = new Date(clock.now() + TOKEN_TTL_SECONDS * 1000).toISOString();
        return {
          status: 200,
          body: { token, user_id: userId, scopes, expires_at: expiresAt },
          headers: { "Cache-Control": "no-store" },
        };
      },
    }),
    publicRoute({
      method: "get",
      path: "/dev/outbox",
      summary: "Text messages that no provider was asked to send",
      tag: "Development",
      rateLimit: "none",
      documented: false,
      responses: { 200: { description: "Newest first", schema: outboxSchema } },
      problems: ["forbidden"],
      async handle({ context }) {
        assertLocal(context);
        const sent = await outbox.list();
        const messages = sent.map(({ to, text, at, notificationId }) => ({
          to,
          text,
          at,
          notification_id: notificationId,
        }));
        return {
          status: 200,
          body: { in_use: outbox.inUse, messages },
          headers: { "Cache-Control": "no-store" },
        };
      },
    }),
  ];
}
