/** What the Essay Lifecycle Service says: a phase of a batch has ended, an essay has its slot. */
import { z } from "zod";
import { domainEvent } from "./domain-event.ts";
import { count, optionalFilename, reference, subjectSchema } from "./event-fields.ts";

/** A machine's word such as `completed_successfully`. */
const word = z.string().min(1).max(128);

export const ESSAY_LIFECYCLE_EVENTS = [
  domainEvent({
    type: "huleedu.els.batch.phase.outcome.v1",
    variable: "ELS_BATCH_PHASE_OUTCOME_TOPIC",
    notification: "batch_phase_outcome",
    category: "batch_progress",
    priority: "standard",
    owns: "batch",
    data: subjectSchema.extend({ batch_id: reference, phase: word, outcome_status: word }),
    shows: ["batch_id", "batch_name", "phase", "outcome_status", "timestamp"],
    adds: (data) => ({
      message: `Phase ${data.phase} completed with status: ${data.outcome_status}`,
    }),
  }),
  domainEvent({
    type: "huleedu.els.essay.slot.assigned.v1",
    variable: "ESSAY_SLOT_ASSIGNED_TOPIC",
    notification: "essay_slot_assigned",
    category: "file_operations",
    priority: "standard",
    data: subjectSchema.extend({
      batch_id: reference,
      essay_id: reference,
      file_upload_id: reference,
      filename: optionalFilename,
      slot_index: count.nullish(),
      text_storage_id: reference.nullish(),
    }),
    shows: [
      "batch_id",
      "batch_name",
      "essay_id",
      "file_upload_id",
      "filename",
      "slot_index",
      "timestamp",
    ],
    storageIds: ["text_storage_id"],
  }),
];
