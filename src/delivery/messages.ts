/** Puts a note into words for each channel: the frame, what a lock screen shows, the SMS. */
import type { Renderer, Subject } from "../content/render.ts";
import type { Template } from "../content/template.ts";
import { fullData } from "../content/text-values.ts";
import { collapseKey } from "../content/url-pattern.ts";
import { actionRequired, pushTtlSeconds } from "../content/deadline.ts";
import type { PushMessage, SmsMessage } from "../channels/channel.ts";
import type { NotificationBody } from "../contract/frames.ts";
import type { Priority } from "../contract/vocabulary.ts";
import { sha256Hex } from "../platform/keyspace.ts";
import type { Note, StoredRequest } from "../tracking/note.ts";
import type { Preferences } from "./preferences.ts";
import { fitPayload } from "./push-payload.ts";

export interface MessagesOptions {
  readonly templates: { get(id: string): Template | undefined };
  readonly renderer: Renderer;
  /** How the outside reaches this service, without a slash at the end; known once it listens. */
  readonly publicUrl: () => string;
  readonly iconUrl: string;
  /** A token with which a service worker may say that it showed the notification. */
  readonly receiptToken: (noteId: string) => string;
}

export interface Messages {
  /** JSON of a `NotificationBody`. */
  frame(note: Note, preferences: Preferences, now: number): string;
  push(note: Note, preferences: Preferences, now: number): PushMessage;
  sms(note: Note, preferences: Preferences, now: number): SmsMessage;
}

const MIN_SMS_VALIDITY_SECONDS = 60;
/** Twilio's longest. */
const MAX_SMS_VALIDITY_SECONDS = 14_400;
const TOPIC_LENGTH = 32;

const URGENCY: Readonly<Record<Priority, PushMessage["urgency"]>> = {
  critical: "high",
  immediate: "high",
  high: "high",
  standard: "normal",
  low: "low",
};

/** The time that was written last: what is accepted together was accepted at the same. */
let lastTime = { at: Number.NaN, text: "" };

function isoTime(epochMs: number): string {
  if (lastTime.at !== epochMs) {
    lastTime = { at: epochMs, text: new Date(epochMs).toISOString() };
  }
  return lastTime.text;
}

const NO_FIELDS = {};

function optionalFields(request: StoredRequest) {
  const { batch_id, class_id, student_id } = request;
  // Most have none, and three spreads of nothing cost as much as three of something.
  if ((batch_id ?? class_id ?? student_id) === undefined) return NO_FIELDS;
  return {
    ...(batch_id === undefined ? {} : { batch_id }),
    ...(class_id === undefined ? {} : { class_id }),
    ...(student_id === undefined ? {} : { student_id }),
  };
}

/** Whole seconds from now, 0 if it has passed; without end for what has none. */
function secondsUntil(at: number | null, now: number): number {
  return at === null ? Number.POSITIVE_INFINITY : Math.max(0, Math.ceil((at - now) / 1_000));
}

export function createMessages(options: MessagesOptions): Messages {
  const { templates, renderer } = options;

  function read(note: Note, preferences: Preferences, now: number) {
    const template = templates.get(note.templateId);
    // A template that an installation took away while notes of it wait: a clear failure, not silence.
    if (template === undefined) throw new Error(`the template ${note.templateId} no longer exists`);
    if (note.request === null) throw new Error(`the request of ${note.id} is no longer kept`);
    const { request } = note;
    const deadline = request.deadline ?? null;
    const subject: Subject = {
      data: request.data,
      locale: request.locale ?? preferences.locale,
      timezone: request.timezone ?? preferences.timezone,
      deadline: deadline === null ? null : isoTime(deadline),
      now,
      batchId: request.batch_id,
      classId: request.class_id,
      studentId: request.student_id,
    };
    return { template, request, deadline, subject };
  }

  return {
    frame(note, preferences, now) {
      const { template, request, subject } = read(note, preferences, now);
      const text = renderer.inApp(template, subject);
      const body: NotificationBody = {
        type: template.id,
        event: template.id,
        notification_id: note.id,
        notification_type: note.notificationType,
        category: request.category ?? template.category,
        priority: note.priority,
        title: text.title,
        body: text.body,
        dir: text.dir,
        locale: text.locale,
        data: request.data,
        action_required: actionRequired(template, request.data),
        deadline: subject.deadline,
        timestamp: isoTime(note.acceptedAt),
        correlation_id: request.correlation_id,
        ...optionalFields(request),
      };
      return JSON.stringify(body);
    },

    push(note, preferences, now) {
      const { template, deadline, subject } = read(note, preferences, now);
      const text = renderer.lockScreen(template, subject);
      // What it replaces on the lock screen and at the push service: an older notice of the same
      // matter, or else only itself, tried again. A hash, since the push service can read it.
      const replaces = collapseKey(template, fullData(subject)) ?? note.id;
      const topic = sha256Hex(`${note.userId} ${replaces}`).slice(0, TOPIC_LENGTH);
      const payload = {
        notification_id: note.id,
        replay_id: note.replayId,
        title: text.title,
        body: text.body,
        url: text.url,
        icon: options.iconUrl,
        tag: topic,
        dir: text.dir,
        locale: text.locale,
        actions: text.actions,
        receipt: options.receiptToken(note.id),
      };
      return {
        noteId: note.id,
        payload: fitPayload(payload),
        ttlSeconds: Math.min(
          pushTtlSeconds(template, note.priority, deadline, now),
          secondsUntil(note.expiresAt, now),
        ),
        urgency: URGENCY[note.priority],
        topic,
      };
    },

    sms(note, preferences, now) {
      const { template, deadline, subject } = read(note, preferences, now);
      const path = renderer.link(template, subject);
      const link = path.startsWith("/") ? `${options.publicUrl()}${path}` : path;
      const text = renderer.sms(template, subject, link);
      if (deadline === null || deadline <= now) return { noteId: note.id, text };
      const seconds = Math.floor((deadline - now) / 1_000);
      const validitySeconds = Math.min(
        Math.max(seconds, MIN_SMS_VALIDITY_SECONDS),
        MAX_SMS_VALIDITY_SECONDS,
      );
      return { noteId: note.id, text, validitySeconds };
    },
  };
}
