/**
 * Teacher notification events, with Kafka's envelope or bare: how services, and the projectors behind
 * domain events, ask for a notification to a teacher. What may be absent in them may be absent here:
 * the texts have sentences for it.
 */
import { randomUUID } from "node:crypto";
import { parseInstant } from "../content/instant.ts";
import { deadlineOf } from "../content/deadline.ts";
import type { Template } from "../content/template.ts";
import { isWithinYears, OUT_OF_YEARS } from "../contract/event-time.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import {
  eventEnvelopeSchema,
  teacherNotificationSchema,
  type EventEnvelope,
  type TeacherNotification,
} from "../contract/teacher-notification.ts";
import type { Family } from "../contract/vocabulary.ts";
import { canonicalJson } from "../platform/canonical-json.ts";
import type { KafkaRecord } from "../platform/kafka/records.ts";
import { sha256Hex } from "../platform/keyspace.ts";
import {
  faultsOf,
  traceparentOf,
  unusable,
  type EventReading,
  type Owned,
} from "./incoming-event.ts";
import { withoutStorageIds } from "./storage-ids.ts";

/** Both names of the one event; the first is the one that its derived ids are made with. */
export const TEACHER_EVENT_TYPES = [
  "huleedu.notification.teacher.requested.v1",
  "huleedu.teacher.notification.requested.v1",
] as const;

/** Says that there is something new, and nothing of what: for types that no template is there for. */
const GENERAL_NOTICE = "notice";
/** What concerns a support plan is never asked for by a teacher event. */
const EVENT_FAMILIES: readonly Family[] = ["teacher", "domain", "general"];

export interface TeacherEventRules {
  readonly templates: { get(id: string): Template | undefined };
  /** Types that an envelope may have, beside the two documented ones. */
  readonly eventTypes: readonly string[];
  readonly allowUnknownTypes: boolean;
  readonly exposeStorageIds: boolean;
}

/** `data` of the envelope, or the bare value, and the envelope where there is one. */
interface Opened {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly envelope: EventEnvelope | undefined;
}

/** @returns the event, or why it can never be used; never throws. */
export function readTeacherEvent(
  value: Readonly<Record<string, unknown>>,
  record: Pick<KafkaRecord, "timestamp" | "headers">,
  rules: TeacherEventRules,
): EventReading {
  const opened = openEnvelope(value, rules);
  if ("kind" in opened) return opened;
  const parsed = teacherNotificationSchema.safeParse(opened.raw);
  if (!parsed.success) {
    const within = opened.envelope === undefined ? "" : "data";
    return unusable("invalid_event", faultsOf(parsed.error, within));
  }
  const notification = parsed.data;
  const type = notification.notification_type;
  const template = templateFor(type, rules);
  if (template === undefined) {
    return unusable("unknown_notification_type", `There is no notification type ${type}.`);
  }
  return eventOf({ ...opened, notification, template }, record, rules);
}

/** A bare event names its teacher at the top, and no event type. */
function openEnvelope(
  value: Readonly<Record<string, unknown>>,
  rules: TeacherEventRules,
): Opened | EventReading {
  const bare = value["event_type"] === undefined && value["teacher_id"] !== undefined;
  if (bare) return { raw: value, envelope: undefined };
  const parsed = eventEnvelopeSchema.safeParse(value);
  if (!parsed.success) return unusable("invalid_event", faultsOf(parsed.error));
  const { event_type: type, data } = parsed.data;
  const known =
    TEACHER_EVENT_TYPES.some((name) => name === type) || rules.eventTypes.includes(type);
  if (!known) return unusable("unknown_event_type", `Nothing handles the event type ${type}.`);
  return { raw: data, envelope: parsed.data };
}

function templateFor(type: string, rules: TeacherEventRules): Template | undefined {
  const template = rules.templates.get(type);
  if (template !== undefined && EVENT_FAMILIES.includes(template.family)) return template;
  return rules.allowUnknownTypes ? rules.templates.get(GENERAL_NOTICE) : undefined;
}

interface Typed extends Opened {
  readonly notification: TeacherNotification;
  readonly template: Template;
}

function eventOf(
  { raw, envelope, notification, template }: Typed,
  record: Pick<KafkaRecord, "timestamp" | "headers">,
  rules: TeacherEventRules,
): EventReading {
  const occurredAtMs =
    instantOf(notification.timestamp) ?? instantOf(envelope?.event_timestamp) ?? record.timestamp;
  const deadlineMs = deadlineFor(notification, template, occurredAtMs);
  // The one in the payload has no schema, and a template's default counts on from when it happened.
  if (deadlineMs !== null && !isWithinYears(deadlineMs)) {
    return unusable("invalid_event", `The deadline: ${OUT_OF_YEARS}.`);
  }
  const stated = notification.correlation_id ?? envelope?.correlation_id ?? undefined;
  const traceparent = traceparentOf(
    envelope?.metadata?.["traceparent"],
    record.headers["traceparent"],
  );
  const request: NotificationRequest = {
    user_id: notification.teacher_id,
    template_id: template.id,
    notification_type: notification.notification_type,
    priority: notification.priority,
    data: dataOf(notification, template, deadlineMs, rules),
    strategy: "fallback",
    event_id: envelope?.event_id ?? derivedEventId(raw),
    correlation_id: stated ?? envelope?.event_id ?? randomUUID(),
    batch_id: notification.batch_id ?? undefined,
    class_id: notification.class_id ?? undefined,
    student_id: notification.student_id ?? undefined,
  };
  const kind = typeof notification.projected_from === "string" ? "domain" : "teacher";
  return {
    kind: "event",
    event: {
      submission: {
        request,
        idempotencyKey: undefined,
        leniency: "lenient",
        event: {
          category: notification.category,
          occurredAtMs,
          ...(traceparent === undefined ? {} : { traceparent }),
          ...(deadlineMs === null ? {} : { deadlineMs }),
          // An event that names no other speaks of no other's occurrence.
          ...(stated === undefined ? {} : { occurrence: { correlationId: stated, kind } }),
        },
      },
      occurredAtMs,
      usefulUntilMs: deadlineMs,
      expiresAtMs: null,
      about: aboutOf(notification),
    },
  };
}

/** What was published twice, on one topic or on both, is one event: its place in them does not count. */
function derivedEventId(raw: unknown): string {
  return sha256Hex(`${TEACHER_EVENT_TYPES[0]}\n${canonicalJson(raw)}`);
}

function instantOf(text: string | null | undefined): number | null {
  return typeof text === "string" ? parseInstant(text) : null;
}

/** Stated beside the payload, else in it, else the template's default from when it happened. */
function deadlineFor(
  notification: TeacherNotification,
  template: Template,
  occurredAtMs: number,
): number | null {
  return (
    instantOf(notification.deadline_timestamp) ??
    deadlineOf(template, notification.payload, occurredAtMs)
  );
}

/** The payload as the page gets it: what the event says about itself goes over what is in there. */
function dataOf(
  notification: TeacherNotification,
  template: Template,
  deadlineMs: number | null,
  rules: TeacherEventRules,
): Record<string, unknown> {
  const { category, priority, action_required, deadline_timestamp, payload } = notification;
  const deadline = deadlineMs === null ? null : new Date(deadlineMs).toISOString();
  const field = template.deadline?.field;
  const stated = deadline_timestamp === null || deadline_timestamp === undefined;
  const keepsOwn = field !== undefined && stated && typeof payload[field] === "string";
  return {
    ...(rules.exposeStorageIds ? payload : withoutStorageIds(payload)),
    ...(field === undefined || deadline === null || keepsOwn ? {} : { [field]: deadline }),
    category,
    priority,
    // A sentence that says what is to be done says more than that something is.
    ...(typeof payload["action_required"] === "string" ? {} : { action_required }),
    deadline,
  };
}

/** Beside the payload and in it, where they may differ: the page shows both. */
function aboutOf({ batch_id, class_id, payload }: TeacherNotification): Owned[] {
  return [
    ...named("batch", batch_id, payload["batch_id"]),
    ...named("class", class_id, payload["class_id"]),
  ];
}

function named(kind: Owned["kind"], beside: unknown, within: unknown): Owned[] {
  const ids = beside === within ? [beside] : [beside, within];
  return ids.flatMap((id) => (typeof id === "string" && id !== "" ? [{ kind, id }] : []));
}
