/** Starts the configured roles in one process and tells how to stop them. */
import { readFileSync } from "node:fs";
import { createFailedLogins } from "../auth/failed-logins.ts";
import { createTokenSigner } from "../auth/token-signer.ts";
import { createTokenVerifier } from "../auth/tokens.ts";
import { readPushSettings } from "../channels/push/settings.ts";
import { createSmsOutbox } from "../channels/sms/outbox.ts";
import { readSmsSettings } from "../channels/sms/settings.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { createHttpApp } from "../http/app.ts";
import { docsRoutes } from "../http/docs.ts";
import { healthRoutes } from "../http/health.ts";
import { metricsRoute } from "../http/metrics-route.ts";
import { openApiRoute } from "../http/openapi.ts";
import { createRateLimiter } from "../http/rate-limiter.ts";
import type { Route } from "../http/route.ts";
import { listen, type HttpServer } from "../http/server.ts";
import { createApiRole } from "./api.ts";
import { loadContent } from "./content-parts.ts";
import { createDeliveryParts, type DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";
import { createGatewayRole } from "./gateway.ts";
import { createHealthSource, redisAnswers } from "./health-source.ts";
import { bundleBrowser } from "./pages/bundle.ts";
import { devRoutes } from "./pages/dev-routes.ts";
import { isLoopbackAddress } from "./pages/loopback.ts";
import { landingRoutes, pageRoutes } from "./pages/page-routes.ts";
import { createWorkerRole } from "./worker.ts";

export interface RunningRoles {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
}

const VERSION = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const version =
    typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "version") : undefined;
  return typeof version === "string" ? version : "0.0.0";
}

/** Starts everything `ROLES` names. Stopping is what `foundation.resources` do, last first. */
export async function startRoles(foundation: Foundation): Promise<RunningRoles> {
  const { config, secrets, clock, logger, metrics, resources, redis, keyspace } = foundation;
  const content = loadContent(config);
  const parts = createDeliveryParts(foundation);
  const verifier = createTokenVerifier({
    clock,
    logger,
    secrets: secrets.jwtSecrets,
    jwksUrl: config.JWT_JWKS_URL,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
  });
  const failedLogins = createFailedLogins({
    clock,
    logger,
    enabled: config.RATE_LIMITS === "on",
    onFailure: () => metrics.authFailures.inc(),
    onAlert: (ip) => writeAudit(parts, logger, { action: "security_alert", path: ip }),
  });
  let url = "";

  if (config.ROLES.includes("worker")) {
    const publicUrl = (): string => config.PUBLIC_URL?.replace(/\/$/, "") ?? url;
    await createWorkerRole({ foundation, parts, content, publicUrl }).start();
  }
  const gateway = config.ROLES.includes("gateway")
    ? await createGatewayRole({
        foundation,
        parts,
        verifier,
        onUnauthorized: (ip) => failedLogins.record(ip),
      })
    : undefined;
  await gateway?.start();

  const vapidPublicKey = readPushSettings(config, secrets.vapid)?.vapid.publicKey;
  const api = config.ROLES.includes("api")
    ? await createApiRole({ foundation, parts, content, vapidPublicKey })
    : undefined;

  let listening = false;
  const source = createHealthSource({
    foundation,
    parts,
    gatewaySubscribed: gateway && (() => gateway.isSubscribed()),
    pushEnabled: vapidPublicKey !== undefined,
    sms: readSmsSettings(config).kind,
  });
  const ready = async (): Promise<boolean> =>
    listening && (gateway?.isSubscribed() ?? true) && (await redisAnswers(foundation));
  const routes: Route[] = [
    ...healthRoutes({ clock, logger, source, ready, version: VERSION }),
    metricsRoute(metrics),
    ...(api?.routes ?? []),
    ...(api === undefined ? [] : await siteRoutes(foundation)),
  ];
  const app = createHttpApp({
    routes: [...routes, openApiRoute({ routes, version: VERSION, ...API_DESCRIPTION })],
    verifier,
    failedLogins,
    logger,
    metrics,
    rateLimiter: createRateLimiter({
      redis,
      keyspace,
      clock,
      logger,
      enabled: config.RATE_LIMITS === "on",
      perMinute: {
        service: config.RATE_LIMIT_SERVICE_PER_MINUTE,
        user: config.RATE_LIMIT_USER_PER_MINUTE,
        subscribe: config.RATE_LIMIT_SUBSCRIBE_PER_MINUTE,
        anonymous: config.RATE_LIMIT_ANONYMOUS_PER_MINUTE,
      },
    }),
    trustProxy: config.TRUST_PROXY,
    corsOrigins: config.CORS_ORIGINS,
    onRejected: ({ code, path, callerId }) =>
      writeAudit(parts, logger, {
        action: "rejected",
        code,
        path,
        ...(callerId === undefined ? {} : { caller: callerId }),
      }),
  });

  const servers = await openListeners(foundation, app, gateway);
  const [first] = servers;
  const host = hostOf(config.HOST ?? defaultHost(config.NODE_ENV));
  url = `http://${host}:${first?.port ?? config.PORT}`;
  listening = true;
  resources.add("listeners", async () => {
    listening = false;
    await api?.endWaiting();
    // Together: a server counts upgraded sockets as open until the gateway has closed them.
    await Promise.all([
      gateway?.stop(),
      ...servers.map((server) => server.close(config.SHUTDOWN_DEADLINE_MS)),
    ]);
  });
  return { url };
}

const API_DESCRIPTION = {
  title: "Schoolbell",
  description:
    "Notifications for schools: WebSocket first, Web Push next, SMS when it is critical. " +
    "Every refusal is a problem document; its codes are listed at [/docs/errors](/docs/errors).",
};

function defaultHost(environment: string): string {
  return environment === "production" ? "0.0.0.0" : "127.0.0.1";
}

/** What a person can open: an address that means "all" is this machine to them. */
function hostOf(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "127.0.0.1") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

function writeAudit(
  parts: Pick<DeliveryParts, "audit">,
  logger: Foundation["logger"],
  entry: Parameters<DeliveryParts["audit"]["add"]>[0],
): void {
  parts.audit.add(entry).catch((error: unknown) => {
    logger.warn({ err: error, ...entry }, "an audit entry could not be written");
  });
}

/** The try-out page, the API's documentation, and in development what the page needs to sign in. */
async function siteRoutes(foundation: Foundation): Promise<Route[]> {
  const { config, secrets, clock, redis, keyspace, sealing } = foundation;
  const assets = await bundleBrowser();
  const routes = [...docsRoutes(), ...pageRoutes(assets)];
  const [secret] = secrets.jwtSecrets;
  if (config.NODE_ENV === "production" || secret === undefined) return routes;
  const outbox = createSmsOutbox({ redis, keyspace, sealing });
  const signer = createTokenSigner(secret, {
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    now: () => clock.now(),
  });
  return [
    ...routes,
    ...landingRoutes(assets),
    ...devRoutes({
      signer,
      clock,
      isLoopback: isLoopbackAddress,
      outbox: {
        list: async () =>
          (await outbox.list()).map(({ phoneNumber, text, at, noteId }) => ({
            to: phoneNumber,
            text,
            notificationId: noteId,
            at: new Date(at).toISOString(),
          })),
      },
    }),
  ];
}

async function openListeners(
  { config }: Foundation,
  app: Parameters<typeof listen>[0],
  gateway: Gateway | undefined,
): Promise<HttpServer[]> {
  const host = config.HOST ?? defaultHost(config.NODE_ENV);
  const ports = config.WS_PORT === undefined ? [config.PORT] : [config.PORT, config.WS_PORT];
  const servers: HttpServer[] = [];
  for (const port of ports) {
    const server = await listen(app, { host, port });
    if (gateway !== undefined) {
      server.server.on("upgrade", (request, socket, head) => {
        gateway.handleUpgrade(request, socket, head);
      });
    }
    servers.push(server);
  }
  return servers;
}
