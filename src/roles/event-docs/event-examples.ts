/**
 * An example of each event, for those who write or read them. Tests hold them to the schemas. Their
 * time is far ahead, so that none is too old to be tried, and each has an id of its own.
 */
import { createHash } from "node:crypto";
import type { OutcomeEvent } from "../../contract/outcome-event.ts";

const TEACHER = "teacher-17";
const BATCH = "batch-4711";
const CLASS = "class-9a";
const ESSAY = "essay-0815";
const AT = "2030-09-16T08:30:00Z";
const DOMAIN_EVENT_ID = "6d0f1c1e-9d5b-4f0e-8a52-0c6e0b7c3a11";

/** `data` of each domain event, by its canonical type. */
export const DOMAIN_EXAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "huleedu.file.batch.file.added.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    file_upload_id: "upload-31",
    filename: "essay-anna.docx",
    timestamp: AT,
  },
  "huleedu.file.batch.file.removed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    file_upload_id: "upload-31",
    filename: "essay-anna.docx",
    timestamp: AT,
  },
  "huleedu.batch.essays.ready.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    class_id: CLASS,
    essay_count: 24,
    timestamp: AT,
  },
  "huleedu.batch.validation.errors.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    validation_errors: [{ filename: "essay-anna.docx", error_code: "empty_file" }],
    timestamp: AT,
  },
  "huleedu.batch.content.provisioning.completed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    provisioned_count: 24,
    timestamp: AT,
  },
  "huleedu.batch.author.matches.suggested.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    class_id: CLASS,
    suggested_matches: [
      { essay_id: ESSAY, suggested_student_id: "student-3", confidence_score: 0.92 },
    ],
    confirmation_deadline: "2030-09-17T08:30:00Z",
  },
  "huleedu.class.student.associations.confirmed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    class_id: CLASS,
    confirmed_count: 23,
    timestamp: AT,
  },
  "huleedu.class.validation.timeout.processed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    auto_confirmed_count: 5,
    timestamp: AT,
  },
  "huleedu.cj_assessment.completed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    assessment_id: "assessment-12",
    comparison_count: 276,
    timestamp: AT,
  },
  "huleedu.cj_assessment.failed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    error_message: "Too few essays to compare",
    timestamp: AT,
  },
  "huleedu.essay.spellcheck.completed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    essay_id: ESSAY,
    corrections_count: 12,
    timestamp: AT,
  },
  "huleedu.els.batch.phase.outcome.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    phase: "spellcheck",
    outcome_status: "completed_successfully",
    timestamp: AT,
  },
  "huleedu.essay.content.provisioned.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    file_upload_id: "upload-31",
    essay_id: ESSAY,
    filename: "essay-anna.docx",
    timestamp: AT,
  },
  "huleedu.essay.validation.failed.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    file_upload_id: "upload-31",
    filename: "essay-anna.docx",
    error_message: "The file holds no text",
    timestamp: AT,
  },
  "huleedu.class.created.v1": {
    user_id: TEACHER,
    class_id: CLASS,
    class_name: "Class 9A",
    timestamp: AT,
  },
  "huleedu.student.created.v1": {
    user_id: TEACHER,
    class_id: CLASS,
    student_id: "student-3",
    timestamp: AT,
  },
  "huleedu.essay.student.association.updated.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    essay_id: ESSAY,
    student_id: "student-3",
    timestamp: AT,
  },
  "huleedu.els.essay.slot.assigned.v1": {
    user_id: TEACHER,
    batch_id: BATCH,
    essay_id: ESSAY,
    file_upload_id: "upload-31",
    filename: "essay-anna.docx",
    slot_index: 4,
    timestamp: AT,
  },
};

/** Looks like any other id, and is the same each time the page is written. */
function idOf(eventType: string): string {
  const hex = createHash("sha256").update(eventType).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ];
  return [...parts, hex.slice(20, 32)].join("-");
}

/** In the envelope, as it travels. */
export function envelopeExample(
  eventType: string,
  sourceService: string,
  data: unknown,
): Readonly<Record<string, unknown>> {
  return {
    event_id: idOf(eventType),
    event_type: eventType,
    event_timestamp: AT,
    source_service: sourceService,
    correlation_id: "0c5b2c53-6a2f-4d4a-9a5c-5e1d2f3b4c60",
    data,
    metadata: { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
  };
}

export const TEACHER_EXAMPLE = {
  teacher_id: TEACHER,
  notification_type: "batch_processing_completed",
  category: "batch_progress",
  priority: "high",
  payload: { batch_id: BATCH, batch_name: "Essays on rivers", status: "completed" },
  action_required: false,
  correlation_id: DOMAIN_EVENT_ID,
  batch_id: BATCH,
  timestamp: AT,
};

export const REQUEST_EXAMPLE = {
  user_id: TEACHER,
  template_id: "announcement",
  data: { title: "School closes early", body: "The last lesson ends at one." },
  event_id: "closing-2030-09-16-teacher-17",
};

export const OUTCOME_EXAMPLE: OutcomeEvent = {
  event_id: "3-1789461000000-0",
  event_type: "notifications.outcome.v1",
  event_timestamp: AT,
  source_service: "schoolbell",
  correlation_id: DOMAIN_EVENT_ID,
  data: {
    outcome_id: "3-1789461000000-0",
    outcome: "settled",
    notification_id: "037a52b1-8a9d-8f3c-9d44-5b2f1c9e7a60",
    event_id: "b6a2f6de-54b3-4bfb-8c0d-1f6c2d9a7e05",
    correlation_id: DOMAIN_EVENT_ID,
    user_id: TEACHER,
    template_id: "batch_processing_completed",
    notification_type: "batch_processing_completed",
    caller: "kafka",
    status: "delivered",
    channels: {
      websocket: { status: "skipped", reason: "offline", at: AT },
      push: { status: "delivered", at: AT },
      sms: { status: "skipped", reason: "not_requested", at: AT },
    },
    replay_id: "12",
    accepted_at: AT,
    at: AT,
  },
};

/** A teacher event without its teacher, as it was put aside. */
export const DEAD_LETTER_EXAMPLE = {
  payload: '{"notification_type":"class_created"}',
  headers: {
    "dlq-reason": "invalid_event",
    "dlq-detail": "teacher_id: Invalid input: expected string, received undefined",
    "dlq-topic": "huleedu.notification.teacher.requested.v1",
    "dlq-partition": "2",
    "dlq-offset": "145",
    "dlq-timestamp": AT,
    "dlq-at": "2030-09-16T08:30:01Z",
    "dlq-group": "websocket-service-group",
  },
};
