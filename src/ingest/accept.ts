/**
 * Every way in ends here: claim the key, create the note, queue it. Once this resolves, the
 * notification is durable and will settle, whatever dies.
 */
import type { Template } from "../content/template.ts";
import type { Caller } from "../contract/caller.ts";
import type { Channel, Family, Priority } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem } from "../platform/problems.ts";
import type { NewNote } from "../tracking/ledger-changes.ts";
import { createGroups } from "./accept-groups.ts";
import type { DeadlineWarnings } from "./deadline-warnings.ts";
import { hashBody, type Claim, type ClaimResult, type IdempotencyStore } from "./idempotency.ts";
import { draftNote } from "./note-draft.ts";
import type { OccurrenceEvent, Occurrences } from "./occurrences.ts";
import { checkRequest, type RequestChecks } from "./request-checks.ts";
import type { Acceptance, Submission } from "./submission.ts";
import { createTurns, type Turn } from "./turns.ts";

export interface AcceptOptions extends RequestChecks {
  readonly ledger: {
    accept(
      notes: readonly NewNote[],
    ): Promise<("created" | "existed" | "suppressed" | "waiting")[]>;
    depth(): Promise<number>;
  };
  readonly idempotency: Pick<IdempotencyStore, "claim">;
  /** Two kinds of event that tell of one occurrence ring once. */
  readonly occurrences: Occurrences;
  /** Left out: nobody is warned of a deadline unasked. */
  readonly warnings?: DeadlineWarnings | undefined;
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

/** The process that waits for what is accepted. */
interface ReplyTo {
  readonly node: string;
  readonly expect: (id: string) => void;
}

export interface Accept {
  /**
   * Takes submissions; results in the order given. `replyTo` names the process that waits for them.
   * The notifications of one user and lane are queued in the order given.
   * @throws Problem `unavailable` if nothing can be taken now.
   */
  (submissions: readonly Submission[], caller: Caller, replyTo?: ReplyTo): Promise<Acceptance[]>;
}

/** A submission that may be sent, and who hands it over. */
interface Checked {
  readonly submission: Submission;
  readonly template: Template;
  readonly caller: Caller;
  readonly replyTo: ReplyTo | undefined;
  /** Its notification's, unless its key or event has one: the same however often it is tried. */
  readonly id: string;
}

/** One on its way to the ledger, and its place among those that were checked. */
interface Drafted {
  readonly at: number;
  readonly checked: Checked;
  readonly note: NewNote;
  readonly repeated: boolean;
}

function conflict(what: "idempotency_key" | "event_id"): Problem {
  return new Problem(
    "idempotency_conflict",
    what === "event_id"
      ? "This event_id belongs to another notification."
      : "This Idempotency-Key was used with another body.",
  );
}

function occurrenceOf({ submission, template }: Checked): OccurrenceEvent | undefined {
  const { request, event } = submission;
  if (event?.occurrence === undefined || template.dedupeFamily === undefined) return undefined;
  if (request.event_id === undefined) return undefined;
  return {
    userId: request.user_id,
    dedupeFamily: template.dedupeFamily,
    eventId: request.event_id,
    ...event.occurrence,
  };
}

export function createAccept(options: AcceptOptions): Accept {
  const { keyspace, clock, logger } = options;
  /** What came first is queued first, also where its trips to Redis were more or longer. */
  const turns = createTurns();

  /** @throws Problem for one that may not be sent. */
  function check(submission: Submission, caller: Caller, replyTo: ReplyTo | undefined): Checked {
    const { request, leniency } = submission;
    const template = checkRequest(options, request, caller, leniency);
    return { submission, template, caller, replyTo, id: keyspace.newNoteId(request.user_id) };
  }

  const claimOf = ({ id, caller, template, submission }: Checked): Claim => {
    const { request, idempotencyKey } = submission;
    return {
      id,
      callerId: caller.userId,
      userId: request.user_id,
      templateId: template.id,
      idempotencyKey,
      eventId: request.event_id,
      // Only a key is compared by it, and events have none.
      bodyHash: idempotencyKey === undefined ? "" : hashBody(request),
    };
  };

  function draft(at: number, checked: Checked, claimed: Extract<ClaimResult, { id: string }>) {
    const { template, submission, caller, replyTo } = checked;
    replyTo?.expect(claimed.id);
    const note = draftNote({
      id: claimed.id,
      request: submission.request,
      event: submission.event,
      template,
      callerId: caller.userId,
      replyTo: replyTo?.node ?? null,
      now: clock.now(),
      leaseMs: options.leaseMs,
    });
    const matter = options.warnings?.matterOf({ note, template, submission });
    const repeated = claimed.kind === "repeated";
    const more = {
      ...(matter === undefined ? {} : { matter }),
      ...(repeated ? { again: true } : {}),
    };
    return {
      at,
      checked,
      note: matter === undefined && !repeated ? note : { ...note, ...more },
      repeated,
    };
  }

  /** Those that ring. Comes after all that may refuse, and before the notes: see occurrences.ts. */
  async function withoutDuplicates(
    drafted: readonly Drafted[],
    results: Acceptance[],
  ): Promise<Drafted[]> {
    const events = drafted.flatMap((each) => {
      const occurrence = occurrenceOf(each.checked);
      return occurrence === undefined ? [] : [{ at: each.at, occurrence }];
    });
    if (events.length === 0) return [...drafted];
    const rings = await options.occurrences.claim(events.map(({ occurrence }) => occurrence));
    events.forEach(({ at }, index) => {
      if (rings[index] === false) results[at] = { kind: "deduplicated" };
    });
    return drafted.filter(({ at }) => results[at] === undefined);
  }

  /** @returns whether they are; otherwise the due index will find them. */
  async function enqueue(notes: Iterable<NewNote>): Promise<boolean> {
    const waiting = [...notes]
      .filter((note) => note.status === "queued")
      .map(({ id, userId, stage, lane }) => ({ id, userId, stage, lane, attempt: 0 }));
    if (waiting.length === 0) return true;
    try {
      await options.enqueue(waiting);
      return true;
    } catch (error) {
      logger.warn({ err: error, notes: waiting.length }, "accepted, but not queued yet");
      return false;
    }
  }

  function countAccepted({ family, priority, matter }: NewNote): void {
    options.onAccepted(family, priority);
    if (matter?.warning !== undefined) countAccepted(matter.warning);
  }

  async function write(
    drafted: readonly Drafted[],
    results: Acceptance[],
    turn: Turn,
  ): Promise<void> {
    const written = await options.ledger.accept(drafted.map(({ note }) => note));
    // By id: an event that is there twice is one notification.
    const toQueue = new Map<string, NewNote>();
    drafted.forEach(({ note }, index) => {
      const result = written[index];
      if (result === "created" || result === "waiting") toQueue.set(note.id, note);
    });
    await turn.comes;
    const queueing = enqueue(toQueue.values());
    // From here on the queues keep the order.
    turn.end();
    const queued = await queueing;
    drafted.forEach(({ at, note, repeated }, index) => {
      const result = written[index];
      const existed = result === "existed" || result === "waiting";
      // One that is tried again after others failed has existed since its own first try.
      if (!(repeated && existed)) countAccepted(note);
      results[at] = {
        kind: "accepted",
        id: note.id,
        repeated: repeated && existed,
        suppressed: result === "suppressed",
        created: result === "created" ? note : undefined,
        queued: queued || !toQueue.has(note.id),
      };
    });
  }

  /** In the order given. One that is taken again is found by its id, so it stays one notification. */
  async function take(checked: readonly Checked[]): Promise<Acceptance[]> {
    const turn = turns.next();
    try {
      await options.assertRoom();
      const claims = await options.idempotency.claim(checked.map(claimOf));
      const results: Acceptance[] = [];
      const drafted: Drafted[] = [];
      checked.forEach((each, at) => {
        const claimed = claims[at];
        if (claimed === undefined) return;
        if (claimed.kind === "conflict") {
          results[at] = { kind: "refused", problem: conflict(claimed.what) };
        } else {
          drafted.push(draft(at, each, claimed));
        }
      });
      await write(await withoutDuplicates(drafted, results), results, turn);
      return results;
    } finally {
      turn.end();
    }
  }

  const join = createGroups(take);

  return async (submissions, caller, replyTo) => {
    const results: Acceptance[] = [];
    const checked: Checked[] = [];
    const places: number[] = [];
    submissions.forEach((submission, at) => {
      try {
        checked.push(check(submission, caller, replyTo));
        places.push(at);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        results[at] = { kind: "refused", problem: error };
      }
    });
    const [first] = checked;
    if (first === undefined) return results;
    const taken = checked.length === 1 ? [await join(first)] : await take(checked);
    taken.forEach((result, index) => {
      results[places[index] ?? 0] = result;
    });
    return results;
  };
}
