/** What the batch services say of a batch on its way: ready, stored, faulty, waiting for its authors. */
import { z } from "zod";
import { domainEvent } from "./domain-event.ts";
import {
  count,
  eventTime,
  optionalFilename,
  optionalName,
  optionalSentence,
  reference,
  shownItems,
  subjectSchema,
} from "./event-fields.ts";

/** Of an entry only this is shown; a bare sentence is an entry with nothing but that. */
const validationError = z
  .preprocess(
    (entry) => (typeof entry === "string" ? { message: entry } : entry),
    z.object({
      file_upload_id: reference.nullish(),
      essay_id: reference.nullish(),
      filename: optionalFilename,
      field: optionalName,
      code: optionalName,
      error_code: optionalName,
      message: optionalSentence,
      error_message: optionalSentence,
    }),
  )
  .transform(withoutNulls);

const suggestedMatch = z
  .object({
    essay_id: reference,
    suggested_student_id: reference.nullish(),
    confidence_score: z.number().nullish(),
  })
  .transform(withoutNulls);

function withoutNulls(entry: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).filter(([, value]) => value !== null && value !== undefined),
  );
}

const validationErrors = z.preprocess(
  withOlderName,
  subjectSchema.extend({ batch_id: reference, validation_errors: z.array(validationError) }),
);

/** `errors` is an older name of `validation_errors`. */
function withOlderName(data: unknown): unknown {
  if (typeof data !== "object" || data === null || !("errors" in data)) return data;
  const stated = "validation_errors" in data ? data.validation_errors : null;
  return { ...data, validation_errors: stated ?? data.errors };
}

const matchesSuggested = subjectSchema.extend({
  batch_id: reference,
  class_id: reference,
  suggested_matches: z.array(suggestedMatch),
  confirmation_deadline: eventTime,
});

export const BATCH_ORCHESTRATOR_EVENTS = [
  domainEvent({
    type: "huleedu.batch.essays.ready.v1",
    variable: "BATCH_ESSAYS_READY_TOPIC",
    notification: "batch_essays_ready",
    category: "batch_progress",
    priority: "standard",
    owns: "batch",
    data: subjectSchema.extend({ batch_id: reference, essay_count: count }),
    shows: ["batch_id", "batch_name", "essay_count", "timestamp"],
    adds: (data) => ({ message: `Batch ready with ${data.essay_count} essays` }),
  }),
  domainEvent({
    type: "huleedu.batch.validation.errors.v1",
    variable: "BATCH_VALIDATION_ERRORS_TOPIC",
    notification: "batch_validation_errors",
    category: "system_alerts",
    priority: "immediate",
    actionRequired: true,
    owns: "batch",
    data: validationErrors,
    shows: ["batch_id", "batch_name", "timestamp"],
    adds: ({ validation_errors: errors }) => ({
      validation_errors: shownItems(errors),
      error_count: errors.length,
      message: `${errors.length} validation errors require attention`,
    }),
    isWorthTelling: (data) => data.validation_errors.length > 0,
  }),
  domainEvent({
    type: "huleedu.batch.content.provisioning.completed.v1",
    variable: "BATCH_CONTENT_PROVISIONING_COMPLETED_TOPIC",
    notification: "batch_content_provisioning_completed",
    category: "batch_progress",
    priority: "standard",
    owns: "batch",
    data: subjectSchema.extend({ batch_id: reference, provisioned_count: count.nullish() }),
    shows: ["batch_id", "batch_name", "provisioned_count", "timestamp"],
  }),
  domainEvent({
    type: "huleedu.batch.author.matches.suggested.v1",
    variable: "BATCH_AUTHOR_MATCHES_SUGGESTED_TOPIC",
    // Its services have called it so towards pages from the beginning.
    notification: "student_matches_suggested",
    category: "student_workflow",
    priority: "immediate",
    actionRequired: true,
    owns: "batch",
    data: matchesSuggested,
    shows: ["batch_id", "batch_name", "class_id", "confirmation_deadline"],
    adds: ({ batch_id: batchId, suggested_matches: matches }) => ({
      suggested_matches: shownItems(matches),
      match_count: matches.length,
      confirmation_url: `/batches/${encodeURIComponent(batchId)}/confirm-matches`,
      message: `Please review ${matches.length} student matches within 24 hours`,
      action_required: true,
    }),
    deadline: (data) => data.confirmation_deadline,
    isWorthTelling: (data) => data.suggested_matches.length > 0,
  }),
];
