/** Starts the configured roles in one process and tells how to stop them. */
import { createFailedLogins } from "../auth/failed-logins.ts";
import { createTokenVerifier } from "../auth/tokens.ts";
import { readPushSettings } from "../channels/push/settings.ts";
import { readSmsSettings } from "../channels/sms/settings.ts";
import { createHttpApp } from "../http/app.ts";
import { asyncApiRoute } from "../http/asyncapi.ts";
import { healthRoutes } from "../http/health.ts";
import { metricsRoute } from "../http/metrics-route.ts";
import { openApiRoute } from "../http/openapi.ts";
import { createRateLimiter } from "../http/rate-limiter.ts";
import type { Route } from "../http/route.ts";
import { createOwnerIndex } from "../projectors/owner-index.ts";
import { createRefusals } from "../tracking/refusals.ts";
import { createAcceptPart } from "./accept-part.ts";
import { createApiRole } from "./api.ts";
import { abilitiesOf, loadContent } from "./content-parts.ts";
import { createDeliveryParts } from "./delivery-parts.ts";
import { eventDescription } from "./event-docs/event-topics.ts";
import type { Foundation } from "./foundation.ts";
import type { FrontDoor } from "./front-door.ts";
import { createGatewayRole } from "./gateway.ts";
import { createHealthSource, redisAnswers } from "./health-source.ts";
import { startIngestRole } from "./ingest.ts";
import { createKafkaParts } from "./kafka-parts.ts";
import { startOutcomeRelay } from "./outcome-relay.ts";
import { siteRoutes } from "./pages/site-routes.ts";
import { watchDevices } from "./push-devices.ts";
import { startProjectorRole } from "./projector.ts";
import { version } from "./version.ts";
import { createWorkerRole } from "./worker.ts";

/** Starts everything `ROLES` names. Stopping is what `foundation.resources` do, last first. */
export async function startRoles(foundation: Foundation, door: FrontDoor): Promise<void> {
  const { config, secrets, clock, logger, metrics, resources, redis, keyspace } = foundation;
  const content = loadContent(config);
  await foundation.sideBySide.census.announce(abilitiesOf(content, foundation.sealing));
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
  const kafka = createKafkaParts(foundation);
  const owners = createOwnerIndex({ redis, keyspace });
  const publicUrl = (): string => config.PUBLIC_URL?.replace(/\/$/, "") ?? door.url;
  if (config.ROLES.includes("worker")) {
    const worker = await createWorkerRole({ foundation, parts, content, publicUrl });
    await worker.start();
    if (kafka !== undefined) await startOutcomeRelay({ foundation, kafka });
  }
  const gateway = config.ROLES.includes("gateway")
    ? await createGatewayRole({ foundation, parts, verifier, failedLogins })
    : undefined;
  await gateway?.start();

  const pushKeys = readPushSettings(config, secrets.vapid)?.keys;
  const accept = createAcceptPart({ foundation, parts, content });
  if (config.ROLES.includes("worker")) watchDevices({ foundation, accept });
  const api = config.ROLES.includes("api")
    ? await createApiRole({ foundation, parts, content, accept, owners, pushKeys, publicUrl })
    : undefined;
  if (config.ROLES.includes("ingest")) {
    await startIngestRole({ foundation, parts, content, accept, owners, kafka });
  }
  if (config.ROLES.includes("projector") && kafka !== undefined) {
    await startProjectorRole({ foundation, parts, owners, kafka });
  }

  let serving = false;
  const source = createHealthSource({
    foundation,
    parts,
    gatewaySubscribed: gateway && (() => gateway.isSubscribed()),
    pushEnabled: pushKeys !== undefined,
    sms: readSmsSettings(config).kind,
  });
  const ready = async (): Promise<boolean> =>
    serving && (gateway?.isSubscribed() ?? true) && (await redisAnswers(foundation));
  const routes: Route[] = [
    ...healthRoutes({ clock, logger, source, ready, version }),
    metricsRoute(metrics),
    ...(api?.routes ?? []),
    ...(api === undefined
      ? []
      : [asyncApiRoute(eventDescription(config, version)), ...(await siteRoutes(foundation))]),
  ];
  const app = createHttpApp({
    routes: [...routes, openApiRoute({ routes, version, ...API_DESCRIPTION })],
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

  door.open(
    app,
    gateway && ((request, socket, head) => gateway.handleUpgrade(request, socket, head)),
  );
  serving = true;
  resources.add("serving", async () => {
    serving = false;
    api?.endWaiting();
    // Together: a server counts upgraded sockets as open until the gateway has closed them.
    await Promise.all([gateway?.stop(), door.close()]);
  });
}

const API_DESCRIPTION = {
  title: "Schoolbell",
  description:
    "Notifications for schools: WebSocket first, Web Push next, SMS when it is critical or " +
    "concerns a support plan (IEP). " +
    "Every refusal is a problem document; its codes are listed at [/docs/errors](/docs/errors). " +
    "Events by Kafka are described at [/asyncapi.json](/asyncapi.json).",
};
