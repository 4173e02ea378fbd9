/** An intake on a real Redis, with everything around it in memory, where a test can look. */
import { randomUUID } from "node:crypto";
import { canNotify, canRaiseToCritical } from "../../src/auth/scopes.ts";
import { loadTemplates } from "../../src/content/registry.ts";
import { createAccept, type Accept, type AcceptOptions } from "../../src/ingest/accept.ts";
import type { EventAuditEntry } from "../../src/ingest/event-audit.ts";
import {
  createEventIntake,
  type EventIntakeOptions,
  type RecordOutcome,
} from "../../src/ingest/event-intake.ts";
import { createIdempotencyStore } from "../../src/ingest/idempotency.ts";
import { createOccurrences } from "../../src/ingest/occurrences.ts";
import type { DeadLetter } from "../../src/platform/kafka/dead-letters.ts";
import type { ChunkHandler, KafkaRecord } from "../../src/platform/kafka/records.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createLedger, type Ledger } from "../../src/tracking/ledger.ts";
import type { Note } from "../../src/tracking/note.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

export const TEACHER_TOPIC = "huleedu.notification.teacher.requested.v1";
export const OTHER_TEACHER_TOPIC = "huleedu.teacher.notification.requested.v1";
export const GENERAL_TOPIC = "notifications.requested.v1";

export const templates = loadTemplates({
  dir: new URL("../../templates", import.meta.url).pathname,
});

export interface IntakeScene {
  readonly clock: ManualClock;
  readonly store: TestRedis;
  readonly ledger: Ledger;
  readonly accept: Accept;
  /** Ids in the order in which they were queued. */
  readonly queued: string[];
  readonly deadLetters: DeadLetter[];
  readonly audited: EventAuditEntry[];
  /** Every outcome told, in order. */
  readonly outcomes: RecordOutcome[];
  /** Who owns `batch:<id>` or `class:<id>`. */
  readonly owners: Map<string, string>;
  /** An intake of its own, with parts of it replaced. */
  intake(changes?: Partial<EventIntakeOptions>): ChunkHandler;
  /** An accept of its own, with parts of it replaced. */
  acceptWith(changes: Partial<AcceptOptions>): Accept;
  /** Takes in records with `handler`, or a plain intake; the outcomes of these alone. */
  take(records: readonly KafkaRecord[], handler?: ChunkHandler): Promise<RecordOutcome[]>;
  /** The notes of all outcomes that made one, without repetition. */
  notes(outcomes?: readonly RecordOutcome[]): Promise<Note[]>;
  close(): Promise<void>;
}

let offset = 0;

export function recordOf(
  value: unknown,
  place: Partial<KafkaRecord> & Pick<KafkaRecord, "timestamp">,
): KafkaRecord {
  offset += 1;
  const bytes = value === null || Buffer.isBuffer(value) ? value : Buffer.from(textOf(value));
  return {
    topic: TEACHER_TOPIC,
    partition: 0,
    offset: String(offset),
    key: null,
    value: bytes,
    headers: {},
    ...place,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export async function openIntakeScene(): Promise<IntakeScene> {
  const clock = createManualClock();
  const store = await openTestRedis();
  const { redis, keyspace } = store;
  const logger = createSilentLogger();
  const ledger = createLedger({
    redis,
    keyspace,
    clock,
    sealing: createSealing(undefined),
    recipientLimitPerMinute: 0,
    historySize: 100,
    historySeconds: 3_600,
    pendingSeconds: 300,
    outcomes: false,
  });
  const queued: string[] = [];
  const deadLetters: DeadLetter[] = [];
  const audited: EventAuditEntry[] = [];
  const outcomes: RecordOutcome[] = [];
  const owners = new Map<string, string>();

  const acceptWith: IntakeScene["acceptWith"] = (changes) =>
    createAccept({
      ledger,
      keyspace,
      clock,
      logger,
      templates,
      idempotency: createIdempotencyStore({ redis, keyspace }),
      occurrences: createOccurrences({ redis, keyspace }),
      enqueue: async (items) => void queued.push(...items.map(({ id }) => id)),
      mayNotify: canNotify,
      mayRaiseToCritical: canRaiseToCritical,
      leaseMs: 30_000,
      assertRoom: async () => {},
      onAccepted: () => {},
      ...changes,
    });
  const accept = acceptWith({});

  const intake: IntakeScene["intake"] = (changes = {}) =>
    createEventIntake({
      accept,
      templates,
      clock,
      logger,
      eventTypes: [],
      generalTopic: GENERAL_TOPIC,
      allowUnknownTypes: false,
      exposeStorageIds: false,
      strictOwnership: false,
      maxEventAgeMs: 86_400_000,
      owners: {
        ownersOf: async (owned) => owned.map(({ kind, id }) => owners.get(`${kind}:${id}`)),
      },
      deadLetters: { write: async (letters) => void deadLetters.push(...letters) },
      audit: { add: async (entry) => void audited.push(entry) },
      onRecord: (_record, outcome) => void outcomes.push(outcome),
      ...changes,
    });

  return {
    clock,
    store,
    ledger,
    accept,
    queued,
    deadLetters,
    audited,
    outcomes,
    owners,
    intake,
    acceptWith,
    async take(records, handler = intake()) {
      const before = outcomes.length;
      await handler(records);
      return outcomes.slice(before);
    },
    async notes(of = outcomes) {
      const ids = of.flatMap((outcome) =>
        "notificationId" in outcome ? [outcome.notificationId] : [],
      );
      return [...(await ledger.fetch([...new Set(ids)])).values()];
    },
    close: () => store.close(),
  };
}

/** What a service publishes about a finished batch; fields are replaced, or left out by undefined. */
export function batchCompleted(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    teacher_id: "teacher-123",
    notification_type: "batch_processing_completed",
    category: "BATCH_PROGRESS",
    priority: "HIGH",
    payload: { batch_id: "batch-456", batch_name: "Essay Batch 1", status: "completed" },
    action_required: false,
    correlation_id: "event-789",
    ...changes,
  };
}

export function envelopeOf(
  data: unknown,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return { event_id: randomUUID(), event_type: TEACHER_TOPIC, data, ...changes };
}
