/** What the operator learns of each domain event: a line in the log, a count, and the audit trail. */
import type { DeadLetterReason } from "../platform/kafka/dead-letters.ts";
import type { KafkaRecord } from "../platform/kafka/records.ts";
import type { Logger } from "../platform/logger.ts";
import type { Projection } from "./projector.ts";
import type { Occurrence, Reading } from "./read-record.ts";

/** What becomes of one record. */
export type Fate =
  | Projection
  | { readonly kind: "skipped"; readonly reason: "tombstone" }
  | { readonly kind: "invalid"; readonly reason: DeadLetterReason; readonly detail: string };

export interface Told {
  readonly record: KafkaRecord;
  readonly reading: Reading;
  readonly fate: Fate;
}

export type SkipReason = Extract<Fate, { kind: "skipped" }>["reason"];

/** One record, for metrics: all of its words come from closed lists. */
export type ProjectorOutcome =
  | { readonly outcome: "projected" }
  | { readonly outcome: "skipped"; readonly reason: SkipReason }
  | { readonly outcome: "dead_lettered"; readonly reason: DeadLetterReason };

/** An entry of the audit trail; equal ones of a chunk are one. */
export interface ProjectorAuditEntry {
  readonly action: "skipped" | "dead_lettered";
  readonly code: string;
  readonly caller: string;
  readonly user_id: string | undefined;
  readonly template_id: string | undefined;
  /** How many events it stands for, if more than one. */
  readonly count?: number;
}

export interface IntakeReportOptions {
  readonly audit: { add(entry: ProjectorAuditEntry): Promise<void> };
  readonly logger: Pick<Logger, "debug" | "info" | "warn">;
  /** `type` is the canonical type of the domain event, or `unknown`. */
  readonly onProjected: (type: string, outcome: ProjectorOutcome) => void;
  /** An event named a user who does not own what it is about: a fault or an attack. */
  readonly onOwnershipMismatch: (type: string) => void;
}

const CALLER = "projector";
const UNKNOWN_TYPE = "unknown";

function occurrenceOf({ reading }: Told): Occurrence | undefined {
  return reading.kind === "occurrence" ? reading.occurrence : undefined;
}

/** As far as it was recognised. */
function typeOf({ reading }: Told): string {
  const event = reading.kind === "unreadable" ? reading.event : undefined;
  return (reading.kind === "occurrence" ? reading.occurrence.event : event)?.type ?? UNKNOWN_TYPE;
}

function outcomeOf(fate: Fate): ProjectorOutcome {
  switch (fate.kind) {
    case "projected":
      return { outcome: "projected" };
    case "skipped":
      return { outcome: "skipped", reason: fate.reason };
    case "rejected":
    case "invalid":
      return { outcome: "dead_lettered", reason: fate.reason };
  }
}

/** Undefined for what leaves a trace of its own, or is nothing. */
function auditEntryOf(told: Told): ProjectorAuditEntry | undefined {
  const outcome = outcomeOf(told.fate);
  const occurrence = occurrenceOf(told);
  if (outcome.outcome === "projected") return undefined;
  if (outcome.reason === "tombstone" || outcome.reason === "not_worth_telling") return undefined;
  return {
    action: outcome.outcome,
    code: outcome.reason,
    caller: CALLER,
    user_id: occurrence?.facts.userId,
    template_id: occurrence?.event.notification,
  };
}

/** A topic read from its beginning may hold any number of old events: they are counted, not listed. */
function auditEntriesOf(told: readonly Told[]): ProjectorAuditEntry[] {
  const tallies = new Map<string, { entry: ProjectorAuditEntry; count: number }>();
  for (const one of told) {
    const entry = auditEntryOf(one);
    if (entry === undefined) continue;
    const key = JSON.stringify(entry);
    tallies.set(key, { entry, count: (tallies.get(key)?.count ?? 0) + 1 });
  }
  return [...tallies.values()].map(({ entry, count }) =>
    count === 1 ? entry : { ...entry, count },
  );
}

/** Ids, and what was decided: never what the event holds. */
function logOne({ logger }: IntakeReportOptions, told: Told): void {
  const { record, fate } = told;
  const occurrence = occurrenceOf(told);
  const where = { topic: record.topic, partition: record.partition, offset: record.offset };
  const about = {
    event_id: occurrence?.eventId,
    event_type: typeOf(told),
    batch_id: occurrence?.facts.batchId,
    class_id: occurrence?.facts.classId,
  };
  switch (fate.kind) {
    case "projected": {
      const { teacher_id, notification_type, correlation_id } = fate.event.data;
      const line = { teacher_id, notification_type, correlation_id, ...about };
      logger.info(line, "projector.published");
      return;
    }
    case "skipped":
      if (fate.reason === "no_owner") {
        logger.warn({ ...about, ...where }, `No teacher found for event ${occurrence?.eventId}`);
      } else {
        logger.debug({ ...about, ...where, reason: fate.reason }, "projector.skipped");
      }
      return;
    case "rejected":
    case "invalid": {
      const { reason, detail } = fate;
      logger.warn({ ...about, ...where, reason, detail }, "projector.dead_lettered");
    }
  }
}

/** @returns what tells of a chunk once it is dealt with. */
export function createIntakeReport(
  options: IntakeReportOptions,
): (told: readonly Told[]) => Promise<void> {
  return async (told) => {
    await Promise.all(auditEntriesOf(told).map((entry) => options.audit.add(entry)));
    for (const one of told) {
      logOne(options, one);
      options.onProjected(typeOf(one), outcomeOf(one.fate));
      if (one.fate.kind === "rejected") options.onOwnershipMismatch(typeOf(one));
    }
  };
}
