/**
 * Takes consecutive records of one partition: each is accepted, skipped or put aside, and none holds
 * up those behind it. Resolves once that is durable; rejects if nothing can be taken now.
 */
import type { Caller } from "../contract/caller.ts";
import { isRedriven } from "../platform/kafka/dead-letter-headers.ts";
import type { DeadLetterReason, DeadLetters } from "../platform/kafka/dead-letters.ts";
import { readRecordObject } from "../platform/kafka/record-json.ts";
import type { ChunkHandler, KafkaRecord } from "../platform/kafka/records.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem } from "../platform/problems.ts";
import type { Accept } from "./accept.ts";
import { createIsolatedAccept, type Poison } from "./accept-isolated.ts";
import { auditEntries, type EventAudit } from "./event-audit.ts";
import { readGeneralEvent } from "./general-event.ts";
import { detailOf, type EventReading, type IncomingEvent, type Owned } from "./incoming-event.ts";
import type { Acceptance } from "./submission.ts";
import { readTeacherEvent, type TeacherEventRules } from "./teacher-event.ts";

/** What became of one record. */
export type RecordOutcome =
  | { readonly kind: "accepted" | "repeated" | "suppressed"; readonly notificationId: string }
  /** Another kind of event about the same occurrence rang. */
  | { readonly kind: "deduplicated" }
  | { readonly kind: "skipped"; readonly reason: "tombstone" | "stale" | "expired" }
  | {
      readonly kind: "dead_lettered";
      readonly reason: DeadLetterReason;
      readonly detail: string;
    };

export interface EventIntakeOptions extends TeacherEventRules {
  readonly accept: Accept;
  /** Full name of the topic whose values are bodies of `POST /notify`; all others hold teacher events. */
  readonly generalTopic: string;
  readonly owners: {
    /** In the order given; undefined where no owner is known. */
    ownersOf(owned: readonly Owned[]): Promise<(string | undefined)[]>;
  };
  /** Everything that an event names must be known to be its user's; else nothing may be another's. */
  readonly strictOwnership: boolean;
  readonly maxEventAgeMs: number;
  readonly deadLetters: DeadLetters;
  readonly audit: EventAudit;
  readonly clock: { now(): number };
  readonly logger: Logger;
  /** Once for each record of a chunk that is dealt with, in their order. */
  readonly onRecord: (record: KafkaRecord, outcome: RecordOutcome) => void;
}

/** Services that write to our topics may send everything; the broker decides who those are. */
const KAFKA: Caller = {
  userId: "kafka",
  scopes: new Set(["notify:send", "notify:send:critical"]),
  expiresAt: Number.POSITIVE_INFINITY,
};

/** A record on its way; `outcome` is set once it is decided. */
interface Entry {
  readonly record: KafkaRecord;
  /** Undefined where it holds none that can be used. */
  readonly event: IncomingEvent | undefined;
  outcome: RecordOutcome | undefined;
}

function deadLetter(reason: DeadLetterReason, detail: string): RecordOutcome {
  return { kind: "dead_lettered", reason, detail };
}

function poisoned(): RecordOutcome {
  return deadLetter("poison", "It cannot be accepted for a reason that the log states.");
}

export function createEventIntake(options: EventIntakeOptions): ChunkHandler {
  const { clock, logger } = options;
  const acceptIsolated = createIsolatedAccept(options.accept);

  function read(record: KafkaRecord): EventReading | undefined {
    if (record.value === null) return undefined;
    const reading = readRecordObject(record.value);
    if (reading.kind === "fault") {
      return { kind: "unusable", reason: reading.reason, detail: reading.detail };
    }
    return record.topic === options.generalTopic
      ? readGeneralEvent(reading.object, record, options.templates)
      : readTeacherEvent(reading.object, record, options);
  }

  function begin(record: KafkaRecord): Entry {
    try {
      return decide(record, read(record));
    } catch (error) {
      // Reading throws on nothing that was thought of. Thrown on, this would come back for ever.
      logPoison(record, error);
      return { record, event: undefined, outcome: poisoned() };
    }
  }

  function decide(record: KafkaRecord, reading: EventReading | undefined): Entry {
    if (reading === undefined) {
      return { record, event: undefined, outcome: { kind: "skipped", reason: "tombstone" } };
    }
    if (reading.kind === "unusable") {
      const outcome = deadLetter(reading.reason, reading.detail);
      return { record, event: undefined, outcome };
    }
    const { event } = reading;
    const maxAgeMs = isRedriven(record.headers) ? Number.POSITIVE_INFINITY : options.maxEventAgeMs;
    const late = latenessOf(event, clock.now(), maxAgeMs);
    return { record, event, outcome: late && { kind: "skipped", reason: late } };
  }

  /** Decides on those that are not their user's to be told of. */
  async function checkOwners(entries: readonly Entry[]): Promise<void> {
    const owned = entries
      .filter(isOpen)
      .flatMap((entry) => entry.event.about.map((about) => ({ entry, about })));
    if (owned.length === 0) return;
    const owners = await options.owners.ownersOf(owned.map(({ about }) => about));
    owned.forEach(({ entry, about }, at) => {
      const owner = owners[at];
      if (owner === undefined || owner === entry.event.submission.request.user_id) return;
      entry.outcome = deadLetter(
        "ownership_mismatch",
        `Its ${about.kind} belongs to another user.`,
      );
    });
    if (!options.strictOwnership) return;
    // Each that it names: the page shows all of them, and one that is known says nothing of another.
    owned.forEach(({ entry, about }, at) => {
      if (owners[at] !== undefined) return;
      entry.outcome ??= deadLetter("owner_unknown", `Nobody knows whose its ${about.kind} is.`);
    });
  }

  async function acceptAll(entries: readonly Entry[]): Promise<void> {
    const waiting = entries.filter(isOpen);
    const results = await acceptIsolated(
      waiting.map(({ event }) => event.submission),
      KAFKA,
    );
    if (results.some((result) => result.kind === "accepted" && !result.queued)) {
      // Handed over again they are queued in their order; the due index has none, and waits longer.
      throw new Problem("unavailable", "What was accepted could not be queued.");
    }
    waiting.forEach((entry, at) => {
      const result = results[at];
      if (result === undefined) throw new Error("accept returned no result");
      if (result.kind === "poison") logPoison(entry.record, result.error);
      entry.outcome = outcomeOf(result, entry.record.topic === options.generalTopic);
    });
  }

  /** To the audit trail, and of those that can never be used to the dead letters. */
  async function tellOfUnused(decided: readonly Decided[]): Promise<void> {
    const unused = decided.filter(
      ({ outcome: { kind } }) => kind === "skipped" || kind === "dead_lettered",
    );
    const lines = auditEntries(
      unused.map(({ event, outcome }) => ({ submission: event?.submission, outcome })),
      KAFKA.userId,
    );
    await Promise.all(lines.map((line) => options.audit.add(line)));
    await options.deadLetters.write(
      unused.flatMap(({ record, outcome }) =>
        outcome.kind === "dead_lettered"
          ? [{ record, reason: outcome.reason, detail: outcome.detail }]
          : [],
      ),
    );
  }

  function logPoison({ topic, partition, offset }: KafkaRecord, error: unknown): void {
    logger.error({ err: error, topic, partition, offset }, "a record cannot be accepted");
  }

  /** Never the payload: ids, places and reasons. */
  function report({ record, event, outcome }: Decided): void {
    const { topic, partition, offset } = record;
    const { event_id, correlation_id, template_id } = event?.submission.request ?? {};
    const about = { topic, partition, offset, event_id, correlation_id, template_id };
    switch (outcome.kind) {
      case "dead_lettered": {
        const { reason, detail } = outcome;
        logger.warn({ ...about, reason, detail }, "event.dead_lettered");
        break;
      }
      case "skipped":
        logger.info({ ...about, reason: outcome.reason }, "event.skipped");
        break;
      case "deduplicated":
        logger.debug(about, "event.deduplicated");
        break;
      case "accepted":
      case "repeated":
      case "suppressed":
        logger.debug(
          { ...about, notification_id: outcome.notificationId },
          `event.${outcome.kind}`,
        );
    }
    options.onRecord(record, outcome);
  }

  return async (records) => {
    const entries = records.map(begin);
    await checkOwners(entries);
    await acceptAll(entries);
    const decided = entries.filter(isDecided);
    if (decided.length < entries.length) throw new Error("a record was left undecided");
    // Handed over again after a failure below, accepted ones are known by their event ids.
    await tellOfUnused(decided);
    decided.forEach(report);
  };
}

type Decided = Entry & { outcome: RecordOutcome };

function isDecided(entry: Entry): entry is Decided {
  return entry.outcome !== undefined;
}

type Open = Entry & { readonly event: IncomingEvent };

/** Whether nothing is decided about it yet. */
function isOpen(entry: Entry): entry is Open {
  return entry.event !== undefined && entry.outcome === undefined;
}

function latenessOf(
  { occurredAtMs, usefulUntilMs, expiresAtMs }: IncomingEvent,
  now: number,
  maxAgeMs: number,
): "stale" | "expired" | undefined {
  if (expiresAtMs !== null && expiresAtMs <= now) return "expired";
  const stale = now - occurredAtMs > maxAgeMs && (usefulUntilMs ?? 0) <= now;
  return stale ? "stale" : undefined;
}

function outcomeOf(result: Acceptance | Poison, isRequest: boolean): RecordOutcome {
  switch (result.kind) {
    case "accepted": {
      const notificationId = result.id;
      if (result.repeated) return { kind: "repeated", notificationId };
      return { kind: result.suppressed ? "suppressed" : "accepted", notificationId };
    }
    case "deduplicated":
      return { kind: "deduplicated" };
    case "refused":
      return deadLetter(reasonOf(result.problem, isRequest), detailOf(result.problem));
    case "poison":
      return poisoned();
  }
}

function reasonOf(problem: Problem, isRequest: boolean): DeadLetterReason {
  if (problem.code === "idempotency_conflict") return "idempotency_conflict";
  return isRequest ? "invalid_request" : "invalid_event";
}
