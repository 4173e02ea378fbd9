/**
 * One domain event to one teacher notification event: is it worth telling, to whom, and what may
 * the page see? Pure; who owns what has been looked up before.
 */
import { epochMsOf } from "../contract/event-time.ts";
import type { TeacherNotification } from "../contract/teacher-notification.ts";
import type { Ownership } from "./ownership.ts";
import type { Occurrence, TraceContext } from "./read-record.ts";

const SECOND_MS = 1_000;
const SOURCE = "projector";

/** What is published, in the envelope of all events. */
export interface ProjectedEvent {
  /** The domain event's: however often it is projected, it rings once. */
  readonly event_id: string;
  readonly event_type: string;
  readonly event_timestamp: string;
  readonly source_service: string;
  readonly correlation_id: string;
  readonly data: TeacherNotification;
  readonly metadata?: TraceContext;
}

export type Projection =
  | { readonly kind: "projected"; readonly event: ProjectedEvent }
  | { readonly kind: "skipped"; readonly reason: "stale" | "not_worth_telling" | "no_owner" }
  | {
      readonly kind: "rejected";
      readonly reason: "ownership_mismatch";
      readonly detail: string;
    };

export interface ProjectionRules {
  /** Type of the events that are made. */
  readonly eventType: string;
  /** Older events are not told, unless their deadline is still ahead. */
  readonly maxAgeSeconds: number;
  /** Whether ids of the text store reach pages. */
  readonly exposeStorageIds: boolean;
}

function isStale(
  { facts, occurredAtMs, redriven }: Occurrence,
  maxAgeSeconds: number,
  nowMs: number,
): boolean {
  if (redriven || nowMs - occurredAtMs <= maxAgeSeconds * SECOND_MS) return false;
  return facts.deadline === undefined || epochMsOf(facts.deadline) <= nowMs;
}

export function project(
  occurrence: Occurrence,
  ownership: Ownership,
  rules: ProjectionRules,
  nowMs: number,
): Projection {
  if (isStale(occurrence, rules.maxAgeSeconds, nowMs)) return { kind: "skipped", reason: "stale" };
  if (!occurrence.facts.isWorthTelling) return { kind: "skipped", reason: "not_worth_telling" };
  switch (ownership.kind) {
    case "unknown":
      return { kind: "skipped", reason: "no_owner" };
    case "mismatch":
      return {
        kind: "rejected",
        reason: "ownership_mismatch",
        detail: `the ${ownership.owned} belongs to another user`,
      };
    case "owner":
      return { kind: "projected", event: eventFor(ownership.userId, occurrence, rules, nowMs) };
  }
}

function eventFor(
  teacherId: string,
  { event, facts, eventId, occurredAtMs, trace }: Occurrence,
  { eventType, exposeStorageIds }: ProjectionRules,
  nowMs: number,
): ProjectedEvent {
  const occurredAt = facts.timestamp ?? new Date(occurredAtMs).toISOString();
  return {
    event_id: eventId,
    event_type: eventType,
    event_timestamp: new Date(nowMs).toISOString(),
    source_service: SOURCE,
    correlation_id: eventId,
    data: {
      teacher_id: teacherId,
      notification_type: event.notification,
      category: event.category,
      priority: event.priority,
      payload: facts.payload({ occurredAt, exposeStorageIds }),
      action_required: event.actionRequired,
      deadline_timestamp: facts.deadline,
      correlation_id: eventId,
      batch_id: facts.batchId,
      class_id: facts.classId,
      student_id: facts.studentId,
      timestamp: occurredAt,
      projected_from: event.type,
    },
    ...(trace === undefined ? {} : { metadata: trace }),
  };
}
