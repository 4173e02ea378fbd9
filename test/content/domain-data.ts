/** What the services' own events carry, in values of a realistic length. */

export const DOMAIN_DATA: Readonly<Record<string, unknown>> = {
  batch_id: "batch-456",
  class_id: "class-9a",
  student_id: "student-144c",
  essay_id: "essay-864f",
  file_upload_id: "upload-8878",
  assessment_id: "cj-97bc",
  text_storage_id: "text-64c7",
  filename: "The hero's journey, second draft.docx",
  slot_index: 3,
  timestamp: "2026-08-12T08:59:30Z",
  essay_count: 28,
  error_count: 12,
  provisioned_count: 28,
  match_count: 128,
  confirmed_count: 28,
  auto_confirmed_count: 14,
  corrections_count: 37,
  comparison_count: 894,
  phase: "spellcheck",
  outcome_status: "completed_successfully",
  error_message: "comparison provider timed out after 3 tries",
  message: "Please review 128 student matches within 24 hours",
  validation_errors: [
    { filename: "notes.docx", code: "TOO_SHORT", message: "text shorter than 50 words" },
  ],
  suggested_matches: [
    { essay_id: "essay-864f", suggested_student_id: "student-144c", confidence_score: 0.604 },
  ],
  confirmation_deadline: "2026-08-25T21:59:59Z",
  confirmation_url: "/batches/batch-456/confirm-matches",
};
