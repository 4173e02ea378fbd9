/** Parts that several roles share: the ledger, the queues, what people prefer, who subscribed. */
import { createSubscriptionStore, type SubscriptionStore } from "../channels/push/subscriptions.ts";
import { createPreferenceStore, type PreferenceStore } from "../delivery/preferences.ts";
import { createSealMemo } from "../platform/seal-memo.ts";
import type { Sealing } from "../platform/sealing.ts";
import { createStageQueues, type StageQueues } from "../queue/stage-queues.ts";
import { createAudit, type Audit } from "../tracking/audit.ts";
import { createFreshNotes } from "../tracking/fresh-notes.ts";
import { createLedger, type Ledger } from "../tracking/ledger.ts";
import { createReceiptTokens, type ReceiptTokens } from "../tracking/receipt-token.ts";
import { createReceipts, type Receipts } from "../tracking/receipts.ts";
import type { Foundation } from "./foundation.ts";
import { deviceLife } from "./push-devices.ts";

export interface DeliveryParts {
  /** Of frames, between worker and gateway. */
  readonly frameSealing: Sealing;
  readonly ledger: Ledger;
  readonly queues: StageQueues;
  readonly preferences: PreferenceStore;
  readonly subscriptions: SubscriptionStore;
  readonly receipts: Receipts;
  readonly receiptTokens: ReceiptTokens;
  readonly audit: Audit;
}

export async function createDeliveryParts(foundation: Foundation): Promise<DeliveryParts> {
  const { config, redis, keyspace, clock, sealing, logger, metrics, resources } = foundation;
  const limited = config.RATE_LIMITS === "on";
  // Without Kafka nobody would send them, and they would only pile up.
  const outcomes = config.KAFKA_BOOTSTRAP_SERVERS !== undefined;
  const noteSeconds = config.NOTE_TTL_SECONDS;
  const { formats } = foundation.sideBySide;
  const frameSealing = frameSealingOf(foundation);
  const ledger = createLedger({
    redis,
    keyspace,
    clock,
    sealing,
    frameSealing,
    recipientLimitPerMinute: limited ? config.RATE_LIMIT_RECIPIENT_PER_MINUTE : 0,
    historySize: config.REPLAY_HISTORY_SIZE,
    historySeconds: config.HISTORY_TTL_SECONDS,
    pendingSeconds: config.PENDING_TTL_SECONDS,
    noteSeconds,
    outcomes,
    formats,
    fresh: config.ROLES.includes("worker") ? createFreshNotes(clock) : undefined,
  });
  const queues = createStageQueues({
    // Its own: every queue defines some sixty scripts on it, and pipelines elsewhere would copy them.
    redis: await foundation.connect("queue writers", "command"),
    keyspace,
    onEnvelope: (stage, lane) => metrics.queueEnvelopes.inc({ stage, lane }),
  });
  resources.add("queues", () => queues.close());
  const receipts = createReceipts({
    redis,
    keyspace,
    clock,
    logger,
    outcomes,
    noteSeconds,
    formats,
  });
  resources.add("receipts", () => receipts.close());
  return {
    ledger,
    frameSealing,
    queues,
    receipts,
    preferences: createPreferenceStore({ redis, keyspace, sealing, clock, logger }),
    subscriptions: createSubscriptionStore({
      redis,
      keyspace,
      sealing,
      clock,
      life: deviceLife(config),
    }),
    receiptTokens: createReceiptTokens({ sealing, keyspace }),
    audit: createAudit({ redis, keyspace, clock }),
  };
}

/** A process that sends frames and hands them to sockets itself hears most of them back. */
function frameSealingOf({ config, sealing }: Foundation): Sealing {
  const both = config.ROLES.includes("worker") && config.ROLES.includes("gateway");
  return both && config.DATA_ENCRYPTION_KEY !== undefined ? createSealMemo(sealing) : sealing;
}
