/**
 * What each event ought to become, written down a second time and apart from the product, so that a
 * slip in one of the two shows when they are compared.
 */
import type { Category, Priority } from "../../src/contract/vocabulary.ts";
import type { JsonObject } from "./trace-record.ts";

export interface DomainKind {
  /** Names under which the event travels; the first is also its topic. */
  readonly eventTypes: readonly string[];
  readonly category: Category;
  readonly priority: Priority;
  readonly actionRequired: boolean;
  /** Fields of the event that a browser may see. */
  readonly shown: readonly string[];
  /** Further fields, made of those. */
  readonly made: (data: JsonObject) => JsonObject;
  /** The teacher event about the same occurrence; of two that belong together the first rings. */
  readonly twin: string | undefined;
}

type Rest = Partial<Pick<DomainKind, "priority" | "actionRequired" | "made" | "twin">>;

const nothing = (): JsonObject => ({});

function kind(names: string, category: Category, shown: string, rest: Rest = {}): DomainKind {
  return {
    eventTypes: names.split(" ").map((name) => `huleedu.${name}.v1`),
    category,
    shown: shown.split(" "),
    priority: rest.priority ?? "standard",
    actionRequired: rest.actionRequired ?? false,
    made: rest.made ?? nothing,
    twin: rest.twin,
  };
}

/** A message with the event's values in it. */
const saying = (text: (of: (field: string) => string) => string) => (data: JsonObject) => ({
  message: text((field) => String(data[field])),
});
const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
const URGENT = { priority: "immediate", actionRequired: true } as const;

/** By the name of the notification. */
export const DOMAIN_KINDS: ReadonlyMap<string, DomainKind> = new Map(
  Object.entries({
    batch_file_added: kind(
      "file.batch.file.added",
      "file_operations",
      "batch_id file_upload_id filename timestamp",
      { twin: "batch_files_uploaded" },
    ),
    batch_file_removed: kind(
      "file.batch.file.removed",
      "file_operations",
      "batch_id file_upload_id filename timestamp",
    ),
    batch_essays_ready: kind(
      "batch.essays.ready",
      "batch_progress",
      "batch_id essay_count timestamp",
      { made: saying((of) => `Batch ready with ${of("essay_count")} essays`) },
    ),
    batch_validation_errors: kind(
      "batch.validation.errors",
      "system_alerts",
      "batch_id validation_errors timestamp",
      {
        ...URGENT,
        twin: "batch_validation_failed",
        made: ({ validation_errors: errors }) => ({
          error_count: lengthOf(errors),
          message: `${lengthOf(errors)} validation errors require attention`,
        }),
      },
    ),
    batch_content_provisioning_completed: kind(
      "batch.content.provisioning.completed",
      "batch_progress",
      "batch_id provisioned_count timestamp",
    ),
    student_matches_suggested: kind(
      "batch.author.matches.suggested",
      "student_workflow",
      "batch_id class_id suggested_matches confirmation_deadline",
      {
        ...URGENT,
        twin: "student_matching_confirmation_required",
        made: ({ batch_id: batch, suggested_matches: matches }) => ({
          match_count: lengthOf(matches),
          confirmation_url: `/batches/${String(batch)}/confirm-matches`,
          message: `Please review ${lengthOf(matches)} student matches within 24 hours`,
          action_required: true,
        }),
      },
    ),
    student_associations_confirmed: kind(
      "class.student.associations.confirmed",
      "student_workflow",
      "batch_id confirmed_count timestamp",
      {
        twin: "batch_students_associated",
        made: saying((of) => `${of("confirmed_count")} student associations confirmed`),
      },
    ),
    validation_timeout_processed: kind(
      "class.validation.timeout.processed",
      "student_workflow",
      "batch_id auto_confirmed_count timestamp",
      {
        made: saying(
          (of) => `Validation timeout: ${of("auto_confirmed_count")} matches auto-confirmed`,
        ),
      },
    ),
    cj_assessment_completed: kind(
      "cj_assessment.completed",
      "processing_results",
      "batch_id assessment_id comparison_count timestamp",
      {
        twin: "batch_cj_assessment_completed",
        made: saying(() => "CJ Assessment completed successfully"),
      },
    ),
    cj_assessment_failed: kind(
      "cj_assessment.failed",
      "system_alerts",
      "batch_id error_message timestamp",
      {
        ...URGENT,
        twin: "batch_processing_failed",
        made: saying(() => "CJ Assessment failed - manual review required"),
      },
    ),
    spellcheck_completed: kind(
      "essay.spellcheck.completed",
      "processing_results",
      "batch_id essay_id corrections_count timestamp",
      {
        made: saying((of) => `Spellcheck completed: ${of("corrections_count")} corrections made`),
      },
    ),
    batch_phase_outcome: kind(
      "els.batch.phase.outcome",
      "batch_progress",
      "batch_id phase outcome_status timestamp",
      {
        made: saying((of) => `Phase ${of("phase")} completed with status: ${of("outcome_status")}`),
      },
    ),
    essay_content_provisioned: kind(
      "essay.content.provisioned file.essay.content.provisioned",
      "file_operations",
      "batch_id file_upload_id essay_id filename timestamp",
    ),
    essay_validation_failed: kind(
      "essay.validation.failed file.essay.validation.failed",
      "system_alerts",
      "batch_id filename error_message timestamp",
      { ...URGENT, twin: "batch_validation_failed" },
    ),
    class_created: kind("class.created", "class_management", "class_id class_name timestamp", {
      twin: "class_created",
    }),
    student_created: kind(
      "student.created class.student.created",
      "class_management",
      "student_id class_id timestamp",
      { twin: "class_roster_updated" },
    ),
    essay_student_association_updated: kind(
      "essay.student.association.updated class.essay.association.updated",
      "class_management",
      "essay_id student_id batch_id timestamp",
    ),
    essay_slot_assigned: kind(
      "els.essay.slot.assigned",
      "file_operations",
      "batch_id essay_id file_upload_id filename slot_index timestamp",
    ),
  } satisfies Record<string, DomainKind>),
);

export const TEACHER_TOPICS = [
  "huleedu.notification.teacher.requested.v1",
  "huleedu.teacher.notification.requested.v1",
] as const;

export const TEACHER_TYPES: ReadonlySet<string> = new Set([
  "student_matching_confirmation_required",
  "student_matching_deadline_approaching",
  "batch_validation_failed",
  "batch_file_corrupted",
  "batch_registration_failed",
  "batch_processing_completed",
  "batch_processing_failed",
  "cj_assessment_results_ready",
  "batch_students_associated",
  "class_roster_updated",
  "class_created",
  "batch_files_uploaded",
  "batch_processing_started",
  "batch_spellcheck_completed",
  "batch_cj_assessment_completed",
]);

/** After their deadline these are of no use to anyone, and are not shown. */
export const ENDS_WITH_DEADLINE: ReadonlySet<string> = new Set([
  "student_matching_confirmation_required",
  "student_matching_deadline_approaching",
  "student_matches_suggested",
]);

/** The notification that a domain event becomes. */
export function kindOf(eventType: string): string | undefined {
  for (const [name, { eventTypes }] of DOMAIN_KINDS)
    if (eventTypes.includes(eventType)) return name;
  return undefined;
}
