/** What the File Service says of single files: added, removed, read, refused. */
import { domainEvent } from "./domain-event.ts";
import {
  filename,
  optionalFilename,
  optionalSentence,
  reference,
  subjectSchema,
} from "./event-fields.ts";

const fileInBatch = subjectSchema.extend({
  batch_id: reference,
  file_upload_id: reference,
  filename,
});

export const FILE_SERVICE_EVENTS = [
  domainEvent({
    type: "huleedu.file.batch.file.added.v1",
    variable: "BATCH_FILE_ADDED_TOPIC",
    notification: "batch_file_added",
    category: "file_operations",
    priority: "standard",
    owns: "batch",
    data: fileInBatch,
    shows: ["batch_id", "batch_name", "file_upload_id", "filename", "timestamp"],
  }),
  domainEvent({
    type: "huleedu.file.batch.file.removed.v1",
    variable: "BATCH_FILE_REMOVED_TOPIC",
    notification: "batch_file_removed",
    category: "file_operations",
    priority: "standard",
    owns: "batch",
    data: fileInBatch,
    shows: ["batch_id", "batch_name", "file_upload_id", "filename", "timestamp"],
  }),
  domainEvent({
    type: "huleedu.essay.content.provisioned.v1",
    secondType: "huleedu.file.essay.content.provisioned.v1",
    variable: "ESSAY_CONTENT_PROVISIONED_TOPIC",
    notification: "essay_content_provisioned",
    category: "file_operations",
    priority: "standard",
    data: fileInBatch.extend({ essay_id: reference.nullish(), filename: optionalFilename }),
    shows: ["batch_id", "batch_name", "file_upload_id", "essay_id", "filename", "timestamp"],
  }),
  domainEvent({
    type: "huleedu.essay.validation.failed.v1",
    secondType: "huleedu.file.essay.validation.failed.v1",
    variable: "ESSAY_VALIDATION_FAILED_TOPIC",
    notification: "essay_validation_failed",
    category: "system_alerts",
    priority: "immediate",
    actionRequired: true,
    data: subjectSchema.extend({
      batch_id: reference,
      file_upload_id: reference.nullish(),
      essay_id: reference.nullish(),
      filename: optionalFilename,
      error_message: optionalSentence,
    }),
    shows: [
      "batch_id",
      "batch_name",
      "file_upload_id",
      "essay_id",
      "filename",
      "error_message",
      "timestamp",
    ],
  }),
];
