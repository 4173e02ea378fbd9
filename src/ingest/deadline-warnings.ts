/**
 * Warns of deadlines unasked. A question about a batch is accepted together with a warning that is
 * scheduled some hours before its deadline; an answer to it cancels the warning. Both happen in the
 * step that creates the note of the question or answer (`tracking/lua/accept.lua`), so no crash
 * leaves one without the other, and what is repeated does nothing again.
 */
import { HOURS_FIELD, MATTER_FIELD } from "../content/warning-fields.ts";
import type { Template } from "../content/template.ts";
import type { Caller } from "../contract/caller.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import { sha256Hex, type Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem } from "../platform/problems.ts";
import type { Matter, NewNote } from "../tracking/ledger-changes.ts";
import { draftNote } from "./note-draft.ts";
import { checkRequest, type RequestChecks } from "./request-checks.ts";
import type { Submission } from "./submission.ts";

const HOUR_MS = 3_600_000;

/** Warnings are ours: what the sender of the question may send does not count. */
const OURS: Caller = {
  userId: "deadline-warnings",
  scopes: new Set(["notify:send"]),
  expiresAt: Number.POSITIVE_INFINITY,
};

/** A notification that is about to be created. */
export interface Accepted {
  readonly note: NewNote;
  readonly template: Template;
  readonly submission: Submission;
}

export interface DeadlineWarnings {
  /** What it says about a matter with a deadline; undefined if it is neither question nor answer. */
  matterOf(accepted: Accepted): Matter | undefined;
}

export interface DeadlineWarningsOptions extends Pick<RequestChecks, "templates" | "clock"> {
  readonly keyspace: Pick<Keyspace, "newNoteId">;
  readonly leaseMs: number;
  readonly logger: Logger;
}

export function createDeadlineWarnings(options: DeadlineWarningsOptions): DeadlineWarnings {
  const checks = { ...options, mayNotify: () => true, mayRaiseToCritical: () => true };

  function warningOf(accepted: Accepted, matter: string): NewNote | undefined {
    const request = requestOf(accepted, matter, options.templates);
    if (request === undefined) return undefined;
    const { note } = accepted;
    try {
      return draftNote({
        id: options.keyspace.newNoteId(note.userId),
        request,
        template: checkRequest(checks, request, OURS, "lenient"),
        callerId: OURS.userId,
        replyTo: null,
        now: note.acceptedAt,
        leaseMs: options.leaseMs,
      });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // The question itself is fine: its deadline is years ahead, or it expires before the warning.
      const { code, detail } = error;
      options.logger.info({ template_id: note.templateId, code, detail }, "deadline.not_warned");
      return undefined;
    }
  }

  return {
    matterOf(accepted) {
      const { note, template, submission } = accepted;
      const warnedBy = template.warning?.template ?? template.cancels;
      if (warnedBy === undefined) return undefined;
      const matter = matterIn(submission.request);
      if (matter === undefined) return undefined;
      const warning = warningOf(accepted, matter);
      return {
        key: sha256Hex(JSON.stringify([note.userId, warnedBy, matter])),
        // A service whose clock is fast must not outlast what is said after it.
        saidAt: Math.min(submission.event?.occurredAtMs ?? note.acceptedAt, note.acceptedAt),
        ...(warning === undefined ? {} : { warning }),
      };
    },
  };
}

/** In the data, as the texts show it, or beside it. */
function matterIn(request: NotificationRequest): string | undefined {
  const { data, [MATTER_FIELD]: beside } = request;
  return [data[MATTER_FIELD], beside].find(
    (id): id is string => typeof id === "string" && id !== "",
  );
}

/** The request of the warning; undefined if there is no time left in which it would help. */
function requestOf(
  { note, template, submission }: Accepted,
  matter: string,
  templates: DeadlineWarningsOptions["templates"],
): NotificationRequest | undefined {
  const { deadline } = note.request;
  const warning = template.warning && templates.get(template.warning.template);
  if (template.warning === undefined || warning === undefined || deadline === undefined) {
    return undefined;
  }
  const sendAt = deadline - template.warning.hoursBefore * HOUR_MS;
  // A question that is itself asked later warns enough.
  if (sendAt <= Math.max(note.acceptedAt, note.sendAt ?? 0)) return undefined;
  return {
    // To the same person, in the same language, by the same channels.
    ...submission.request,
    template_id: warning.id,
    notification_type: undefined,
    priority: undefined,
    event_id: undefined,
    correlation_id: note.correlationId,
    send_at: new Date(sendAt).toISOString(),
    data: {
      ...namesIn(submission.request.data, warning),
      [MATTER_FIELD]: matter,
      [HOURS_FIELD]: template.warning.hoursBefore,
      ...(warning.deadline && { [warning.deadline.field]: new Date(deadline).toISOString() }),
    },
  };
}

/** What the question says of what the warning may say too, such as the name of the batch. */
function namesIn(
  data: Readonly<Record<string, unknown>>,
  { dataSchema }: Template,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).filter(([name]) => Object.hasOwn(dataSchema.properties, name)),
  );
}
