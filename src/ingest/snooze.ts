/**
 * Puts a notification off: the same words for the same person once more, later. The request of a
 * settled note is no longer kept, so it is made anew from the frame in the person's history.
 */
import { z } from "zod";
import type { Caller } from "../contract/caller.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import { CATEGORIES, CHANNELS } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import { Problem } from "../platform/problems.ts";
import type { History } from "../tracking/history.ts";
import type { Note } from "../tracking/note.ts";
import type { Accept } from "./accept.ts";
import type { IdempotencyStore } from "./idempotency.ts";
import type { Submission } from "./submission.ts";

const MINUTE_MS = 60_000;

/** What a frame says that the new request needs. */
const frameSchema = z.object({
  category: z.enum(CATEGORIES),
  locale: z.string(),
  data: z.record(z.string(), z.unknown()),
  deadline: z.iso.datetime().nullable(),
  timestamp: z.iso.datetime(),
  correlation_id: z.string(),
  batch_id: z.string().optional(),
  class_id: z.string().optional(),
  student_id: z.string().optional(),
});
type Frame = z.infer<typeof frameSchema>;

export interface SnoozeOptions {
  readonly accept: Accept;
  readonly idempotency: Pick<IdempotencyStore, "find">;
  readonly history: Pick<History, "since">;
  readonly fetch: (ids: readonly string[]) => Promise<Map<string, Note>>;
  /** Opens what a history holds. */
  readonly open: (sealed: string) => string;
  readonly clock: Pick<Clock, "now">;
}

interface Reminder {
  readonly noteId: string;
  /** Epoch ms. */
  readonly sendAt: number;
}

/** It is the person who asks; that it may be sent was decided when it was sent first. */
function personOf(note: Note): Caller {
  const scopes = new Set(["notify:send", "notify:send:critical"]);
  return { userId: note.userId, scopes, expiresAt: Number.POSITIVE_INFINITY };
}

/** As an event id, because of those a repetition may differ in its body: it names another time. */
const eventIdOf = (note: Note): string => `snooze:${note.id}`;

function submissionOf(note: Note, frame: Frame, sendAt: number): Submission {
  const { category, deadline, timestamp, locale, data, correlation_id } = frame;
  const { batch_id, class_id, student_id } = frame;
  const request: NotificationRequest = {
    user_id: note.userId,
    template_id: note.templateId,
    notification_type: note.notificationType,
    // Somebody who has just put it off needs no text message about it.
    channels: CHANNELS.filter(
      (name) => name !== "sms" && note.channels[name].reason !== "not_requested",
    ),
    priority: note.priority,
    strategy: note.strategy,
    data,
    locale,
    correlation_id,
    batch_id,
    class_id,
    student_id,
    event_id: eventIdOf(note),
    send_at: new Date(sendAt).toISOString(),
    ...(note.expiresAt === null ? {} : { expires_at: new Date(note.expiresAt).toISOString() }),
  };
  const event = {
    category,
    // As old as it is: an answer that was given meanwhile stays the last word on its matter.
    occurredAtMs: Date.parse(timestamp),
    ...(deadline === null ? {} : { deadlineMs: Date.parse(deadline) }),
  };
  // What events may leave out, they may leave out here.
  return { request, idempotencyKey: undefined, leniency: "lenient", event };
}

function tooMuch(): Problem {
  return new Problem("not_snoozable", "Too much was sent to this person lately.");
}

/**
 * Accepts the notification of a note anew, to be sent in so many minutes; asked again, it is the one
 * that there is already.
 * @throws Problem `not_snoozable` where there is nothing left to send, or no time in which to.
 */
export function createSnooze(options: SnoozeOptions) {
  async function frameOf(note: Note): Promise<Frame | undefined> {
    if (note.replayId === null || note.epoch === null) return undefined;
    const before = { epoch: note.epoch, id: Number(note.replayId) - 1 };
    const { entries } = await options.history.since(note.userId, before);
    const entry = entries.find(({ noteId }) => noteId === note.id);
    return entry && frameSchema.safeParse(JSON.parse(options.open(entry.payload))).data;
  }

  async function find(noteId: string): Promise<Reminder | undefined> {
    const reminder = (await options.fetch([noteId])).get(noteId);
    // It was refused when it was asked for first, and is now: it never comes.
    if (reminder?.status === "suppressed") throw tooMuch();
    return reminder && { noteId, sendAt: reminder.sendAt ?? reminder.acceptedAt };
  }

  return async (note: Note, minutes: number): Promise<Reminder> => {
    // First, so that the answer stays the same when the history has moved on. An id without a note is
    // of somebody who is about to write it, or died before that.
    const known = await options.idempotency.find(eventIdOf(note));
    const before = known === undefined ? undefined : await find(known);
    if (before !== undefined) return before;
    const sendAt = options.clock.now() + minutes * MINUTE_MS;
    if (note.expiresAt !== null && note.expiresAt <= sendAt) {
      throw new Problem("not_snoozable", "It expires before it would come again.");
    }
    const frame = await frameOf(note);
    if (frame === undefined) {
      throw new Problem("not_snoozable", "It is no longer in the person's history.");
    }
    const [result] = await options.accept([submissionOf(note, frame, sendAt)], personOf(note));
    if (result?.kind === "refused") throw new Problem("not_snoozable", result.problem.detail);
    if (result?.kind !== "accepted" || result.suppressed) throw tooMuch();
    return (await find(result.id)) ?? { noteId: result.id, sendAt };
  };
}
