/** The api role: every business route, wired to the room that serves it. */
import { ticketRoutes } from "../auth/routes.ts";
import { createTickets } from "../auth/tickets.ts";
import { createLookAhead } from "../channels/push/checked-lookup.ts";
import { createEndpointPolicy } from "../channels/push/endpoint-policy.ts";
import { createRenewalTokens } from "../channels/push/renewal-token.ts";
import { createPushRoutes } from "../channels/push/routes.ts";
import { createSubscriptionIntake } from "../channels/push/subscription-intake.ts";
import type { VapidKeys } from "../channels/push/vapid-keys.ts";
import { createPreview } from "../content/preview.ts";
import { contentRoutes } from "../content/routes.ts";
import { cancel } from "../delivery/note-steps.ts";
import { preferenceRoutes } from "../delivery/routes.ts";
import type { Route } from "../http/route.ts";
import type { Accept } from "../ingest/accept.ts";
import { createIdempotencyStore } from "../ingest/idempotency.ts";
import { ingestRoutes } from "../ingest/routes.ts";
import { createSnooze } from "../ingest/snooze.ts";
import type { OwnerIndex } from "../projectors/owner-index.ts";
import { ownerRoutes } from "../projectors/routes.ts";
import { createAnalytics } from "../tracking/analytics.ts";
import { createAuditReader } from "../tracking/audit-reader.ts";
import { deadLetterRoutes } from "../tracking/dead-letter-routes.ts";
import { createDeadNotes } from "../tracking/dead-notes.ts";
import { createHistory } from "../tracking/history.ts";
import { readGatewayCensus } from "../tracking/presence.ts";
import { receiptRoutes } from "../tracking/receipt-routes.ts";
import { reportRoutes } from "../tracking/report-routes.ts";
import { trackingRoutes } from "../tracking/routes.ts";
import { createSettlements } from "../tracking/settlements.ts";
import type { ContentParts } from "./content-parts.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";
import { createSmsParts, smsRoutes } from "./sms-parts.ts";
import { createSmsInboundRoutes } from "./sms-inbound.ts";

export interface ApiRole {
  readonly routes: readonly Route[];
  /** Lets requests that wait for an outcome answer with what is known: the process stops. */
  endWaiting(): void;
}

export async function createApiRole(deps: {
  readonly foundation: Foundation;
  readonly parts: DeliveryParts;
  readonly content: ContentParts;
  readonly accept: Accept;
  readonly owners: OwnerIndex;
  /** Undefined where push is not configured. */
  readonly pushKeys: VapidKeys | undefined;
  /** How the outside reaches this service; known once it listens. */
  readonly publicUrl: () => string;
}): Promise<ApiRole> {
  const { foundation, parts, accept, content } = deps;
  const { config, redis, keyspace, clock, sealing, nodeId } = foundation;
  const { ledger, preferences, subscriptions, receipts, receiptTokens, audit } = parts;

  const settlements = createSettlements({
    redis: await foundation.subscribe("settlements"),
    keyspace,
    clock,
    node: nodeId,
  });
  await settlements.start();

  const fetch = (ids: readonly string[]) => ledger.fetch(ids);

  return {
    endWaiting: () => settlements.close(),
    routes: [
      ...ingestRoutes({ accept, fetch, settlements, clock }),
      ...trackingRoutes({
        fetch,
        advance: (changes) => ledger.advance(changes),
        cancel: (note) => cancel(note, clock.now()),
        isNoteId: (id) => keyspace.shardOfNote(id) !== undefined,
      }),
      ...receiptRoutes({
        receipts,
        clock,
        fetch: (ids) => ledger.fetchUnopened(ids),
        readReceipt: (token) => receiptTokens.read(token),
        snooze: createSnooze({
          accept,
          clock,
          fetch: (ids) => ledger.fetchUnopened(ids),
          idempotency: createIdempotencyStore({ redis, keyspace }),
          history: createHistory({ redis, keyspace, clock, size: config.REPLAY_HISTORY_SIZE }),
          open: (sealed) => parts.frameSealing.open(sealed),
        }),
      }),
      ...smsRoutes(foundation, createSmsParts(foundation, parts)),
      ...contentRoutes({
        ...content,
        clock,
        preview: createPreview({ renderer: content.renderer, publicUrl: deps.publicUrl }),
      }),
      ...ownerRoutes({
        owners: deps.owners,
        onPut: (caller, { kind, userId }, before) =>
          audit.add({
            action: "owner_set",
            caller,
            user_id: userId,
            ...(before === undefined || before === userId ? {} : { code: "changed" }),
            result: kind,
          }),
      }),
      ...deadLetterRoutes({
        deadNotes: createDeadNotes({
          redis,
          keyspace,
          clock,
          sealing,
          formats: foundation.sideBySide.formats,
          outcomes: config.KAFKA_BOOTSTRAP_SERVERS !== undefined,
          noteSeconds: config.NOTE_TTL_SECONDS,
        }),
      }),
      ...preferenceRoutes({
        preferences,
        onReplaced: (caller, userId) =>
          audit.add({ action: "preferences_replaced", caller, user_id: userId }),
      }),
      ...createSmsInboundRoutes(deps),
      ...ticketRoutes({ tickets: createTickets({ redis, keyspace, clock }) }),
      ...createPushRoutes({
        subscriptions,
        intake: createSubscriptionIntake({
          policy: createEndpointPolicy(config.PUSH_ALLOWED_HOSTS),
          keys: deps.pushKeys,
          leadsInward: createLookAhead(clock),
          now: () => clock.now(),
        }),
        renewals: createRenewalTokens({ sealing }),
        publicKey: deps.pushKeys?.current.publicKey,
      }),
      ...reportRoutes({
        // A connection of its own: whoever pages through the trail holds up nobody else.
        audit: createAuditReader({ redis: await foundation.connect("audit", "command"), keyspace }),
        clock,
        analytics: createAnalytics({
          redis,
          keyspace,
          census: () => readGatewayCensus({ redis, keyspace, clock }),
        }),
      }),
    ],
  };
}
