/**
 * A failed note as operators see it: ids and reasons. What it says stays sealed, here and on the
 * command line: to send it again nobody has to read it.
 */
import { z } from "zod";
import { CHANNELS, PRIORITIES, type Channel } from "../contract/vocabulary.ts";
import { parseTimeline, type Note } from "./note.ts";
import { planRedrive } from "./redrive.ts";
import { notificationDetailSchema, notificationStatusSchema, viewDetail } from "./view.ts";

const attempts = z.number().int();

export const deadNoteSchema = notificationStatusSchema
  .pick({ notification_id: true, channels: true, channel_details: true })
  .extend({
    user_id: z.string(),
    template_id: z.string(),
    notification_type: z.string(),
    caller: z.string().describe("who sent it"),
    accepted_at: z.string().describe("RFC 3339"),
    failed_at: z.string().describe("RFC 3339"),
  });
export type DeadNoteView = z.infer<typeof deadNoteSchema>;

export const deadNoteDetailSchema = deadNoteSchema.extend({
  priority: z.enum(PRIORITIES),
  correlation_id: z.string(),
  event_id: z.string().optional().describe("of the event that asked for it"),
  attempts: z
    .object({ websocket: attempts, push: attempts, sms: attempts })
    .describe("tries so far, by channel"),
  redrivable: z
    .array(z.enum(CHANNELS))
    .describe("what a re-drive tries again if it names no channels"),
  refusal: z.string().optional().describe("why such a re-drive would be refused"),
  timeline: notificationDetailSchema.shape.timeline,
});
export type DeadNoteDetail = z.infer<typeof deadNoteDetailSchema>;

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** The last time it failed; it may have been re-driven since the first. */
function failedAt(note: Note): number {
  const end = parseTimeline(note.timeline).findLast(
    ({ channel, to }) => channel === null && to === "failed",
  );
  return end?.at ?? note.acceptedAt;
}

function triesOf(note: Note): Record<Channel, number> {
  const tries: Record<Channel, number> = { websocket: 0, push: 0, sms: 0 };
  for (const { channel, from, to } of parseTimeline(note.timeline)) {
    const begins = to === "sending" || (to === "sent" && from === "pending");
    if (channel !== null && begins) tries[channel] += 1;
  }
  return tries;
}

export function viewDeadNote(note: Note): DeadNoteView {
  const { notification_id, channels, channel_details, timestamp } = viewDetail(note);
  return {
    notification_id,
    user_id: note.userId,
    template_id: note.templateId,
    notification_type: note.notificationType,
    caller: note.callerId,
    accepted_at: timestamp,
    failed_at: iso(failedAt(note)),
    channels,
    channel_details,
  };
}

/** `now` decides what has expired; epoch ms. */
export function viewDeadNoteDetail(note: Note, now: number): DeadNoteDetail {
  const plan = planRedrive(note, undefined, now);
  return {
    ...viewDeadNote(note),
    priority: note.priority,
    correlation_id: note.correlationId,
    ...(note.eventId === null ? {} : { event_id: note.eventId }),
    attempts: triesOf(note),
    redrivable: plan.kind === "possible" ? [...plan.channels] : [],
    ...(plan.kind === "refused" ? { refusal: plan.detail } : {}),
    timeline: viewDetail(note).timeline,
  };
}
