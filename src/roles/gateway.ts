/** The gateway role: holds browsers' sockets. It knows neither templates nor events. */
import { createTickets } from "../auth/tickets.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import type { FailedLogins } from "../gateway/door.ts";
import { createHistory } from "../tracking/history.ts";
import { createPresence } from "../tracking/presence.ts";
import type { Caller } from "../contract/caller.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";

/**
 * A caller with `Prefer: wait` waits so much longer at most, under load; at 4,000 messages a second one
 * sending then carries twenty answers.
 */
const ANSWER_INTERVAL_MS = 5;

export async function createGatewayRole(deps: {
  readonly foundation: Foundation;
  readonly parts: Pick<DeliveryParts, "receipts" | "frameSealing">;
  readonly verifier: { verify(token: string): Promise<Caller> };
  readonly failedLogins: FailedLogins;
}): Promise<Gateway> {
  const { foundation, parts, verifier, failedLogins } = deps;
  const { config, redis, keyspace, clock, logger, metrics, nodeId } = foundation;
  const tickets = createTickets({ redis, keyspace, clock });
  return createGateway({
    nodeId,
    redis,
    keyspace,
    clock,
    sealing: parts.frameSealing,
    log: logger,
    subscriber: await foundation.subscribe("gateway"),
    history: createHistory({ redis, keyspace, clock, size: config.REPLAY_HISTORY_SIZE }),
    presence: createPresence({ redis, keyspace, clock, nodeId }),
    receipts: {
      record: (list) =>
        parts.receipts.record(
          list.map(({ noteId, kind }) => ({
            noteId,
            channel: "websocket",
            kind: kind === "read" ? "confirmed" : kind,
          })),
        ),
    },
    verify: (token) => verifier.verify(token),
    redeem: (ticket) => tickets.redeem(ticket),
    failedLogins,
    settings: {
      heartbeatIntervalMs: config.HEARTBEAT_INTERVAL_MS,
      heartbeatTimeoutMs: config.HEARTBEAT_TIMEOUT_MS,
      presenceIntervalMs: config.PRESENCE_INTERVAL_MS,
      answerIntervalMs: ANSWER_INTERVAL_MS,
      maxConnections: config.MAX_CONNECTIONS,
      maxConnectionsPerUser: config.MAX_CONNECTIONS_PER_USER,
      allowedOrigins: config.WS_ALLOWED_ORIGINS,
      trustedProxies: config.TRUST_PROXY,
      limitInbound: config.RATE_LIMITS === "on",
    },
    onUnread: () => foundation.sideBySide.leftAlone("message"),
    count(event) {
      switch (event.kind) {
        case "opened":
          metrics.gatewayConnections.inc();
          return;
        case "closed":
          metrics.gatewayConnections.dec();
          metrics.gatewayCloses.inc({ code: String(event.code) });
          return;
        case "sent":
        case "replayed":
          metrics.frames.inc({ direction: event.kind }, event.frames);
      }
    },
  });
}
