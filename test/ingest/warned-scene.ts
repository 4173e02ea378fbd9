/** An intake that warns of deadlines, and short ways to ask and answer questions about a batch. */
import { randomUUID } from "node:crypto";
import type { Accept } from "../../src/ingest/accept.ts";
import { createDeadlineWarnings } from "../../src/ingest/deadline-warnings.ts";
import type { RecordOutcome } from "../../src/ingest/event-intake.ts";
import type { Acceptance } from "../../src/ingest/submission.ts";
import { notificationRequestSchema } from "../../src/contract/notification-request.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import type { Note } from "../../src/tracking/note.ts";
import { readStreamEntry } from "../../src/tracking/audit.ts";
import { recordOf as recordOfFields } from "../../src/tracking/stream-fields.ts";
import {
  envelopeOf,
  openIntakeScene,
  recordOf,
  templates,
  type IntakeScene,
} from "./intake-scene.ts";

export const HOUR_MS = 3_600_000;
export const WARNING = "student_matching_deadline_approaching";

export interface EventOptions {
  readonly user: string;
  readonly batch?: string;
  /** Epoch ms: when its service says that it happened. Left out: now. */
  readonly at?: number;
  readonly correlation?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

export interface WarnedScene extends IntakeScene {
  /** As `POST /notify` hands it over, by a service that may send anything unless told. */
  request(body: object, scopes?: readonly string[]): Promise<Acceptance | undefined>;
  /** An event about a batch, as its service (or a projector) publishes it. */
  event(type: string, options: EventOptions): KafkaRecord;
  takeIn(...records: readonly KafkaRecord[]): Promise<RecordOutcome["kind"][]>;
  /** The user's warnings that were made unasked, the earliest first. */
  warnings(user: string): Promise<Note[]>;
  /** Their states. */
  states(user: string): Promise<Note["status"][]>;
  /** Brings up what is due; the ids of what rings. */
  ring(): Promise<string[]>;
}

const CATEGORY = "student_workflow";

export async function openWarnedScene(): Promise<WarnedScene> {
  const scene = await openIntakeScene();
  const { clock, store, ledger } = scene;
  const { redis, keyspace } = store;
  const accept: Accept = scene.acceptWith({
    warnings: createDeadlineWarnings({
      keyspace,
      clock,
      templates,
      leaseMs: 30_000,
      logger: createSilentLogger(),
    }),
  });
  const intake = scene.intake({ accept });

  /** The trail names every notification in the order in which they came to be. */
  const warnings: WarnedScene["warnings"] = async (user) => {
    const trail = keyspace.sharded(keyspace.shardOfUser(user), "audit");
    const ids = (await redis.xrange(trail, "-", "+"))
      .flatMap(([, fields]) => readStreamEntry(recordOfFields(fields)))
      .filter((entry) => entry["action"] === "accepted" && entry["user_id"] === user)
      .filter((entry) => entry["caller"] === "deadline-warnings")
      .flatMap((entry) => entry["notification_id"] ?? []);
    return [...(await ledger.fetch(ids)).values()];
  };

  return {
    ...scene,
    accept,
    warnings,
    async request(body, scopes = ["notify:send"]) {
      const request = notificationRequestSchema.parse(body);
      const caller = { userId: "service", scopes: new Set(scopes), expiresAt: 0 };
      return (await accept([{ request, idempotencyKey: undefined }], caller))[0];
    },
    event(type, { user, batch = "batch-1", at = clock.now(), correlation, payload = {} }) {
      const domain = templates.get(type)?.family === "domain";
      const data = {
        teacher_id: user,
        notification_type: type,
        category: CATEGORY,
        priority: templates.get(type)?.priority,
        payload: { batch_id: batch, ...payload },
        action_required: true,
        timestamp: new Date(at).toISOString(),
        ...(correlation === undefined ? {} : { correlation_id: correlation }),
        ...(domain ? { projected_from: "huleedu.some.domain.event.v1" } : {}),
      };
      const value = envelopeOf(data, { event_id: randomUUID() });
      return recordOf(value, { timestamp: clock.now() });
    },
    takeIn: async (...records) => (await scene.take(records, intake)).map(({ kind }) => kind),
    states: async (user) => (await warnings(user)).map(({ status }) => status),
    async ring() {
      const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);
      const leased = await Promise.all(
        shards.map((shard) => ledger.leaseDue(shard, 30_000, 1_000)),
      );
      return leased.flat().map(({ id }) => id);
    },
  };
}
