/**
 * Every way in ends here: claim the key, create the note, queue it. Once this resolves, the
 * notification is durable and will settle, whatever dies.
 */
import type { Template } from "../content/template.ts";
import type { Caller } from "../contract/caller.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import type { Channel, Family, Priority } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem } from "../platform/problems.ts";
import { asCreated, type NewNote } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import { hashBody, type Claim, type IdempotencyStore } from "./idempotency.ts";
import { draftNote } from "./note-draft.ts";
import { checkRequest, type RequestChecks } from "./request-checks.ts";

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
      /** As it was created; undefined for one that was there before, or was suppressed. */
      readonly created: Note | undefined;
    }
  | { readonly kind: "refused"; readonly problem: Problem };

export interface AcceptOptions extends RequestChecks {
  readonly ledger: {
    accept(
      notes: readonly NewNote[],
    ): Promise<("created" | "existed" | "suppressed" | "waiting")[]>;
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

export function createAccept(options: AcceptOptions): Accept {
  const { keyspace, clock, logger } = options;

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
        const template = checkRequest(options, request, caller);
        const claim: Claim = {
          id: keyspace.newNoteId(request.user_id),
          callerId: caller.userId,
          userId: request.user_id,
          templateId: template.id,
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
            ? "This event_id belongs to another notification."
            : "This Idempotency-Key was used with another body.";
        results[at] = { kind: "refused", problem: new Problem("idempotency_conflict", detail) };
        return;
      }
      replyTo?.expect(claim.id);
      const note = draftNote({
        id: claim.id,
        request,
        template,
        callerId: caller.userId,
        replyTo: replyTo?.node ?? null,
        now: clock.now(),
        leaseMs: options.leaseMs,
      });
      notes.push({ at, note, repeated: claim.kind === "repeated" });
    });

    const written = await options.ledger.accept(notes.map(({ note }) => note));
    const toQueue: NewNote[] = [];
    notes.forEach(({ at, note, repeated }, index) => {
      const result = written[index];
      if (result === "created" || result === "waiting") toQueue.push(note);
      const existed = result === "existed" || result === "waiting";
      if (!existed) options.onAccepted(note.family, note.priority);
      results[at] = {
        kind: "accepted",
        id: note.id,
        repeated: repeated && existed,
        suppressed: result === "suppressed",
        created: result === "created" ? asCreated(note) : undefined,
      };
    });
    await enqueue(toQueue);
    return results;
  };
}
