/** Makes the note of a request: which channels are open, when it is sent, when it is too late. Pure. */
import { deadlineOf } from "../content/deadline.ts";
import { isSmsEligible, type Template } from "../content/template.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import { CHANNELS, laneOf, type Channel, type Priority } from "../contract/vocabulary.ts";
import type { NewNote } from "../tracking/ledger-changes.ts";
import type { ChannelRecord } from "../tracking/note.ts";
import type { EventDetails } from "./submission.ts";

/** What is critical is looked for soon: its envelope is lost if Redis fails at the wrong moment. */
const URGENT_DUE_MS = 2_000;

export interface Draft {
  readonly id: string;
  readonly request: NotificationRequest;
  readonly event?: EventDetails | undefined;
  readonly template: Template;
  readonly callerId: string;
  /** The process that waits for the outcome. */
  readonly replyTo: string | null;
  readonly now: number;
  readonly leaseMs: number;
}

function firstRecords(
  template: Template,
  request: NotificationRequest,
  priority: Priority,
  now: number,
): Record<Channel, ChannelRecord> {
  const wanted: readonly Channel[] = request.channels ?? template.channels;
  // One record for all open channels: thousands of notes wait at a time, and none changes its own.
  const open: ChannelRecord = { state: "pending", reason: null, at: now, confirmedAt: null };
  const record = (channel: Channel): ChannelRecord => {
    if (!wanted.includes(channel)) {
      return { state: "skipped", reason: "not_requested", at: now, confirmedAt: null };
    }
    if (channel === "sms" && !isSmsEligible(template, priority)) {
      return { state: "skipped", reason: "not_eligible", at: now, confirmedAt: null };
    }
    return open;
  };
  return { websocket: record("websocket"), push: record("push"), sms: record("sms") };
}

/** When it is too late: what the caller says, or the deadline of a template that ends with it. */
function expiryOf(request: NotificationRequest, template: Template, deadline: number | null) {
  const stated = request.expires_at === undefined ? null : Date.parse(request.expires_at);
  const implied = template.expirable ? deadline : null;
  if (stated === null || implied === null) return stated ?? implied;
  return Math.min(stated, implied);
}

/** The note of an accepted request; `leaseMs` is when the due index looks for it by itself. */
export function draftNote(draft: Draft): NewNote {
  const { id, request, event = {}, template, callerId, replyTo, now } = draft;
  const priority = request.priority ?? template.priority;
  const channels = firstRecords(template, request, priority, now);
  const lane = laneOf(priority);
  const deadline = event.deadlineMs ?? deadlineOf(template, request.data, now);
  const sendAt = request.send_at === undefined ? null : Date.parse(request.send_at);
  const later = sendAt !== null && sendAt > now ? sendAt : null;
  const { data, locale, timezone, phone_number, batch_id, class_id, student_id } = request;
  const { category, traceparent } = event;
  const correlationId = request.correlation_id ?? request.event_id ?? id;
  return {
    id,
    userId: request.user_id,
    status: later === null ? "queued" : "scheduled",
    // A note without any open channel settles in the stage it begins with.
    stage: CHANNELS.find((name) => channels[name].state === "pending") ?? "sms",
    lane,
    acceptedAt: now,
    priority,
    templateId: template.id,
    notificationType: request.notification_type ?? template.notificationType,
    family: template.family,
    strategy: request.strategy,
    callerId,
    correlationId,
    eventId: request.event_id ?? null,
    replyTo,
    channels,
    expiresAt: expiryOf(request, template, deadline),
    sendAt: later,
    request: {
      data,
      correlation_id: correlationId,
      ...(locale === undefined ? {} : { locale }),
      ...(timezone === undefined ? {} : { timezone }),
      ...(phone_number === undefined ? {} : { phone_number }),
      ...(batch_id === undefined ? {} : { batch_id }),
      ...(class_id === undefined ? {} : { class_id }),
      ...(student_id === undefined ? {} : { student_id }),
      ...(category === undefined ? {} : { category }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(deadline === null ? {} : { deadline }),
    },
    dueAt:
      later ?? now + (lane === "urgent" ? Math.min(URGENT_DUE_MS, draft.leaseMs) : draft.leaseMs),
  };
}
