/**
 * Every way in ends here: claim the key, create the note, queue it. Once this resolves, the
 * notification is durable and will settle, whatever dies.
 */
import type { DataContext } from "../content/registry.ts";
import { deadlineOf } from "../content/deadline.ts";
import type { Template } from "../content/template.ts";
import type { Caller } from "../contract/caller.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import {
  CHANNELS,
  laneOf,
  type Channel,
  type Family,
  type Priority,
} from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem, type ProblemIssue } from "../platform/problems.ts";
import type { NewNote } from "../tracking/ledger-changes.ts";
import type { ChannelRecord } from "../tracking/note.ts";
import { hashBody, type Claim, type IdempotencyStore } from "./idempotency.ts";

/** One notification as it came in, parsed. */
export interface Submission {
  readonly request: NotificationRequest;
  readonly idempotencyKey: string | undefined;
}

export type Acceptance =
  | {
      readonly kind: "accepted";
      readonly id: string;
      readonly repeated: boolean;
      readonly suppressed: boolean;
    }
  | { readonly kind: "refused"; readonly problem: Problem };

export interface AcceptOptions {
  readonly templates: {
    get(id: string): Template | undefined;
    checkData(
      template: Template,
      data: Readonly<Record<string, unknown>>,
      context?: DataContext,
    ): ProblemIssue[];
  };
  readonly ledger: {
    accept(notes: readonly NewNote[]): Promise<("created" | "existed" | "suppressed")[]>;
    depth(): Promise<number>;
  };
  readonly idempotency: IdempotencyStore;
  readonly enqueue: (
    items: readonly {
      id: string;
      userId: string;
      stage: Channel;
      lane: NewNote["lane"];
      attempt: number;
    }[],
  ) => Promise<void>;
  readonly mayNotify: (caller: Caller, family: Family) => boolean;
  readonly mayRaiseToCritical: (caller: Caller) => boolean;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Rejects with a problem while the store is too full to take more. */
  readonly assertRoom: () => Promise<void>;
  readonly logger: Logger;
  readonly onAccepted: (family: Family, priority: Priority) => void;
}

export interface Accept {
  /**
   * Takes submissions; results in the order given. `replyTo` names the process that waits for them.
   * @throws Problem `unavailable` if nothing can be taken now.
   */
  (
    submissions: readonly Submission[],
    caller: Caller,
    replyTo?: { readonly node: string; readonly expect: (id: string) => void },
  ): Promise<Acceptance[]>;
}

/** SMS costs money and wakes people: only what is critical, or concerns an IEP, may use it. */
function isSmsEligible(template: Template, priority: Priority): boolean {
  return priority === "critical" || template.family === "iep" || template.smsTier === "critical";
}

function firstRecords(
  template: Template,
  request: NotificationRequest,
  priority: Priority,
  now: number,
): Record<Channel, ChannelRecord> {
  const wanted: readonly Channel[] = request.channels ?? template.channels;
  const record = (channel: Channel): ChannelRecord => {
    const base = { at: now, confirmedAt: null };
    if (!wanted.includes(channel)) return { ...base, state: "skipped", reason: "not_requested" };
    if (channel === "sms" && !isSmsEligible(template, priority)) {
      return { ...base, state: "skipped", reason: "not_eligible" };
    }
    return { ...base, state: "pending", reason: null };
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

export function createAccept(options: AcceptOptions): Accept {
  const { templates, keyspace, clock, logger } = options;

  function check(request: NotificationRequest, caller: Caller): Template {
    const template = templates.get(request.template_id);
    if (template === undefined) {
      throw new Problem("unknown_template", `There is no template ${request.template_id}.`);
    }
    if (!options.mayNotify(caller, template.family)) {
      throw new Problem(
        "forbidden",
        `The token needs the scope notify:send or notify:send:${template.family}.`,
      );
    }
    const raises = request.priority === "critical" && template.priority !== "critical";
    if (raises && !options.mayRaiseToCritical(caller)) {
      throw new Problem("forbidden", "Raising to critical needs the scope notify:send:critical.");
    }
    const issues = templates.checkData(template, request.data, request);
    if (issues.length > 0) {
      throw new Problem("invalid_template_data", `The data does not fit ${template.id}.`, {
        errors: issues,
      });
    }
    if (request.expires_at !== undefined && Date.parse(request.expires_at) <= clock.now()) {
      throw new Problem("invalid_request", "expires_at has passed.", {
        errors: [{ path: "expires_at", message: "must be in the future" }],
      });
    }
    if (
      request.send_at !== undefined &&
      request.expires_at !== undefined &&
      Date.parse(request.expires_at) <= Date.parse(request.send_at)
    ) {
      throw new Problem("invalid_date_range", "expires_at is not after send_at.", {
        errors: [{ path: "expires_at", message: "must be after send_at" }],
      });
    }
    return template;
  }

  function noteOf(
    id: string,
    request: NotificationRequest,
    template: Template,
    callerId: string,
    replyTo: string | null,
  ): NewNote {
    const now = clock.now();
    const priority = request.priority ?? template.priority;
    const channels = firstRecords(template, request, priority, now);
    const deadline = deadlineOf(template, request.data, now);
    const sendAt = request.send_at === undefined ? null : Date.parse(request.send_at);
    const later = sendAt !== null && sendAt > now ? sendAt : null;
    const { data, locale, timezone, phone_number, batch_id, class_id, student_id } = request;
    const given = { locale, timezone, phone_number, batch_id, class_id, student_id };
    return {
      id,
      userId: request.user_id,
      status: later === null ? "queued" : "scheduled",
      // A note without any open channel settles in the stage it begins with.
      stage: CHANNELS.find((name) => channels[name].state === "pending") ?? "sms",
      lane: laneOf(priority),
      acceptedAt: now,
      priority,
      templateId: template.id,
      notificationType: request.notification_type ?? template.notificationType,
      family: template.family,
      strategy: request.strategy,
      callerId,
      replyTo,
      channels,
      expiresAt: expiryOf(request, template, deadline),
      sendAt: later,
      request: {
        data,
        correlation_id: request.correlation_id ?? request.event_id ?? id,
        ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
        ...(deadline === null ? {} : { deadline }),
      },
      dueAt: later ?? now + options.leaseMs,
    };
  }

  async function enqueue(notes: readonly NewNote[]): Promise<void> {
    const waiting = notes
      .filter((note) => note.status === "queued")
      .map(({ id, userId, stage, lane }) => ({ id, userId, stage, lane, attempt: 0 }));
    if (waiting.length === 0) return;
    try {
      await options.enqueue(waiting);
    } catch (error) {
      // The notes exist: the due index will find them.
      logger.warn({ err: error, notes: waiting.length }, "accepted, but not queued yet");
    }
  }

  return async (submissions, caller, replyTo) => {
    const results: Acceptance[] = [];
    const valid: { at: number; template: Template; request: NotificationRequest; claim: Claim }[] =
      [];
    submissions.forEach(({ request, idempotencyKey }, at) => {
      try {
        const template = check(request, caller);
        const claim: Claim = {
          id: keyspace.newNoteId(request.user_id),
          callerId: caller.userId,
          userId: request.user_id,
          idempotencyKey,
          eventId: request.event_id,
          bodyHash: hashBody(request),
        };
        valid.push({ at, template, request, claim });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        results[at] = { kind: "refused", problem: error };
      }
    });
    if (valid.length === 0) return results;

    await options.assertRoom();
    const claims = await options.idempotency.claim(valid.map(({ claim }) => claim));
    const notes: { at: number; note: NewNote; repeated: boolean }[] = [];
    valid.forEach(({ at, template, request }, index) => {
      const claim = claims[index];
      if (claim === undefined) return;
      if (claim.kind === "conflict") {
        const detail =
          claim.what === "event_id"
            ? "This event_id belongs to a notification to another user."
            : "This Idempotency-Key was used with another body.";
        results[at] = { kind: "refused", problem: new Problem("idempotency_conflict", detail) };
        return;
      }
      replyTo?.expect(claim.id);
      const note = noteOf(claim.id, request, template, caller.userId, replyTo?.node ?? null);
      notes.push({ at, note, repeated: claim.kind === "repeated" });
    });

    const written = await options.ledger.accept(notes.map(({ note }) => note));
    const created: NewNote[] = [];
    notes.forEach(({ at, note, repeated }, index) => {
      const result = written[index];
      if (result === "created") created.push(note);
      if (result !== "existed") options.onAccepted(note.family, note.priority);
      results[at] = {
        kind: "accepted",
        id: note.id,
        repeated: repeated && result === "existed",
        suppressed: result === "suppressed",
      };
    });
    await enqueue(created);
    return results;
  };
}
