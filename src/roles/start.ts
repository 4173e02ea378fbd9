/** Starts the configured roles in one process and tells how to stop them. */
import { readFileSync } from "node:fs";
import { createFailedLogins } from "../auth/failed-logins.ts";
import { createTokenVerifier } from "../auth/tokens.ts";
import { readPushSettings } from "../channels/push/settings.ts";
import { readSmsSettings } from "../channels/sms/settings.ts";
import { createHttpApp } from "../http/app.ts";
import { healthRoutes } from "../http/health.ts";
import { metricsRoute } from "../http/metrics-route.ts";
import { openApiRoute } from "../http/openapi.ts";
import { createRateLimiter } from "../http/rate-limiter.ts";
import type { Route } from "../http/route.ts";
import { createRefusals } from "../tracking/refusals.ts";
import { createApiRole } from "./api.ts";
import { loadContent } from "./content-parts.ts";
import { createDeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";
import { createGatewayRole } from "./gateway.ts";
import { createHealthSource, redisAnswers } from "./health-source.ts";
import { addressOf, openListeners } from "./listeners.ts";
import { siteRoutes } from "./pages/site-routes.ts";
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
  const parts = await createDeliveryParts(foundation);
  const verifier = createTokenVerifier({
    clock,
    logger,
    secrets: secrets.jwtSecrets,
    jwksUrl: config.JWT_JWKS_URL,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
  });
  const refusals = createRefusals({ redis, keyspace, clock, logger });
  resources.add("refusals", () => refusals.close());
  const failedLogins = createFailedLogins({
    clock,
    logger,
    enabled: config.RATE_LIMITS === "on",
    onFailure: () => metrics.authFailures.inc(),
    onAlert: (ip) => refusals.record({ action: "security_alert", who: { address: ip } }),
  });
  let url = "";

  if (config.ROLES.includes("worker")) {
    const publicUrl = (): string => config.PUBLIC_URL?.replace(/\/$/, "") ?? url;
    await createWorkerRole({ foundation, parts, content, publicUrl }).start();
  }
  const gateway = config.ROLES.includes("gateway")
    ? await createGatewayRole({ foundation, parts, verifier, failedLogins })
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
    onRejected: ({ code, path, callerId, ip }) =>
      refusals.record({
        action: "rejected",
        code,
        path,
        who: callerId === undefined ? { address: ip } : { caller: callerId },
      }),
  });

  const servers = await openListeners(config, app, gateway);
  const [first] = servers;
  url = addressOf(config, first?.port ?? config.PORT);
  listening = true;
  resources.add("listeners", async () => {
    listening = false;
    api?.endWaiting();
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
