/** One event of each kind as its service sends it, and what a teacher's page must get of it. */

/** What happened, to whom, when: fits every kind. */
export const USER = "teacher-7";
export const AT = "2026-09-01T07:59:30Z";
const DEADLINE = "2026-09-02T08:00:00Z";

export interface Sample {
  readonly type: string;
  readonly secondType?: string;
  readonly notification: string;
  readonly category: string;
  readonly priority: string;
  readonly actionRequired?: true;
  readonly deadline?: string;
  /** Without `user_id` and `timestamp`, which every event gets. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The whole payload. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Fields the event may lack or leave null, and whether anything else of the payload changes. */
  readonly optional?: readonly string[];
}

const batch = { batch_id: "batch-1" };
const file = { ...batch, file_upload_id: "upload-1", filename: "essay one.txt" };
const matches = [
  { essay_id: "essay-1", suggested_student_id: "student-1", confidence_score: 0.93 },
  { essay_id: "essay-2", suggested_student_id: "student-2", confidence_score: 0.4 },
];
const errors = [{ filename: "essay one.txt", code: "TOO_SHORT", message: "fewer than 50 words" }];

/** In the documented order of their topics. */
export const SAMPLES: readonly Sample[] = [
  {
    type: "huleedu.file.batch.file.added.v1",
    notification: "batch_file_added",
    category: "file_operations",
    priority: "standard",
    data: file,
    payload: { ...file, timestamp: AT },
  },
  {
    type: "huleedu.file.batch.file.removed.v1",
    notification: "batch_file_removed",
    category: "file_operations",
    priority: "standard",
    data: file,
    payload: { ...file, timestamp: AT },
  },
  {
    type: "huleedu.batch.essays.ready.v1",
    notification: "batch_essays_ready",
    category: "batch_progress",
    priority: "standard",
    data: { ...batch, essay_count: 25 },
    payload: {
      ...batch,
      essay_count: 25,
      message: "Batch ready with 25 essays",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.batch.validation.errors.v1",
    notification: "batch_validation_errors",
    category: "system_alerts",
    priority: "immediate",
    actionRequired: true,
    data: { ...batch, validation_errors: errors },
    payload: {
      ...batch,
      validation_errors: errors,
      error_count: 1,
      message: "1 validation errors require attention",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.batch.content.provisioning.completed.v1",
    notification: "batch_content_provisioning_completed",
    category: "batch_progress",
    priority: "standard",
    data: { ...batch, provisioned_count: 24 },
    payload: { ...batch, provisioned_count: 24, timestamp: AT },
    optional: ["provisioned_count"],
  },
  {
    type: "huleedu.batch.author.matches.suggested.v1",
    notification: "student_matches_suggested",
    category: "student_workflow",
    priority: "immediate",
    actionRequired: true,
    deadline: DEADLINE,
    data: {
      ...batch,
      class_id: "class-1",
      suggested_matches: matches,
      confirmation_deadline: DEADLINE,
    },
    payload: {
      ...batch,
      class_id: "class-1",
      suggested_matches: matches,
      match_count: 2,
      confirmation_deadline: DEADLINE,
      confirmation_url: "/batches/batch-1/confirm-matches",
      message: "Please review 2 student matches within 24 hours",
      action_required: true,
    },
  },
  {
    type: "huleedu.class.student.associations.confirmed.v1",
    notification: "student_associations_confirmed",
    category: "student_workflow",
    priority: "standard",
    data: { ...batch, confirmed_count: 22 },
    payload: {
      ...batch,
      confirmed_count: 22,
      message: "22 student associations confirmed",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.class.validation.timeout.processed.v1",
    notification: "validation_timeout_processed",
    category: "student_workflow",
    priority: "standard",
    data: { ...batch, auto_confirmed_count: 5 },
    payload: {
      ...batch,
      auto_confirmed_count: 5,
      message: "Validation timeout: 5 matches auto-confirmed",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.cj_assessment.completed.v1",
    notification: "cj_assessment_completed",
    category: "processing_results",
    priority: "standard",
    data: { ...batch, assessment_id: "cj-1", comparison_count: 450 },
    payload: {
      ...batch,
      assessment_id: "cj-1",
      comparison_count: 450,
      message: "CJ Assessment completed successfully",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.cj_assessment.failed.v1",
    notification: "cj_assessment_failed",
    category: "system_alerts",
    priority: "immediate",
    actionRequired: true,
    data: { ...batch, error_message: "no answer from the judge" },
    payload: {
      ...batch,
      error_message: "no answer from the judge",
      message: "CJ Assessment failed - manual review required",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.essay.spellcheck.completed.v1",
    notification: "spellcheck_completed",
    category: "processing_results",
    priority: "standard",
    data: { ...batch, essay_id: "essay-1", corrections_count: 12 },
    payload: {
      ...batch,
      essay_id: "essay-1",
      corrections_count: 12,
      message: "Spellcheck completed: 12 corrections made",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.els.batch.phase.outcome.v1",
    notification: "batch_phase_outcome",
    category: "batch_progress",
    priority: "standard",
    data: { ...batch, phase: "spellcheck", outcome_status: "completed_successfully" },
    payload: {
      ...batch,
      phase: "spellcheck",
      outcome_status: "completed_successfully",
      message: "Phase spellcheck completed with status: completed_successfully",
      timestamp: AT,
    },
  },
  {
    type: "huleedu.essay.content.provisioned.v1",
    secondType: "huleedu.file.essay.content.provisioned.v1",
    notification: "essay_content_provisioned",
    category: "file_operations",
    priority: "standard",
    data: { ...file, essay_id: "essay-1" },
    payload: { ...file, essay_id: "essay-1", timestamp: AT },
    optional: ["essay_id", "filename"],
  },
  {
    type: "huleedu.essay.validation.failed.v1",
    secondType: "huleedu.file.essay.validation.failed.v1",
    notification: "essay_validation_failed",
    category: "system_alerts",
    priority: "immediate",
    actionRequired: true,
    data: { ...file, essay_id: "essay-1", error_message: "fewer than 50 words" },
    payload: { ...file, essay_id: "essay-1", error_message: "fewer than 50 words", timestamp: AT },
    optional: ["essay_id", "file_upload_id", "filename", "error_message"],
  },
  {
    type: "huleedu.class.created.v1",
    notification: "class_created",
    category: "class_management",
    priority: "standard",
    data: { class_id: "class-1", class_name: "Class 9A" },
    payload: { class_id: "class-1", class_name: "Class 9A", timestamp: AT },
    optional: ["class_name"],
  },
  {
    type: "huleedu.student.created.v1",
    secondType: "huleedu.class.student.created.v1",
    notification: "student_created",
    category: "class_management",
    priority: "standard",
    data: { student_id: "student-1", class_id: "class-1" },
    payload: { student_id: "student-1", class_id: "class-1", timestamp: AT },
    optional: ["class_id"],
  },
  {
    type: "huleedu.essay.student.association.updated.v1",
    secondType: "huleedu.class.essay.association.updated.v1",
    notification: "essay_student_association_updated",
    category: "class_management",
    priority: "standard",
    data: { ...batch, essay_id: "essay-1", student_id: "student-1" },
    payload: { ...batch, essay_id: "essay-1", student_id: "student-1", timestamp: AT },
    optional: ["batch_id", "student_id"],
  },
  {
    type: "huleedu.els.essay.slot.assigned.v1",
    notification: "essay_slot_assigned",
    category: "file_operations",
    priority: "standard",
    data: { ...file, essay_id: "essay-1", slot_index: 3, text_storage_id: "text-1" },
    payload: { ...file, essay_id: "essay-1", slot_index: 3, timestamp: AT },
    optional: ["filename", "slot_index"],
  },
];

export function sampleOf(notification: string): Sample {
  const found = SAMPLES.find((sample) => sample.notification === notification);
  if (found === undefined) throw new Error(`no sample of ${notification}`);
  return found;
}
