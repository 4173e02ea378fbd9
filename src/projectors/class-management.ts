/** What Class Management says happened: classes, students, and who wrote which essay. */
import { domainEvent } from "./domain-event.ts";
import { count, optionalName, reference, subjectSchema } from "./event-fields.ts";

const confirmed = subjectSchema.extend({ batch_id: reference, confirmed_count: count });
const timedOut = subjectSchema.extend({ batch_id: reference, auto_confirmed_count: count });

export const CLASS_MANAGEMENT_EVENTS = [
  domainEvent({
    type: "huleedu.class.student.associations.confirmed.v1",
    variable: "STUDENT_ASSOCIATIONS_CONFIRMED_TOPIC",
    notification: "student_associations_confirmed",
    category: "student_workflow",
    priority: "standard",
    owns: "batch",
    data: confirmed,
    shows: ["batch_id", "batch_name", "confirmed_count", "timestamp"],
    adds: (data) => ({ message: `${data.confirmed_count} student associations confirmed` }),
  }),
  domainEvent({
    type: "huleedu.class.validation.timeout.processed.v1",
    variable: "VALIDATION_TIMEOUT_PROCESSED_TOPIC",
    notification: "validation_timeout_processed",
    category: "student_workflow",
    priority: "standard",
    owns: "batch",
    data: timedOut,
    shows: ["batch_id", "batch_name", "auto_confirmed_count", "timestamp"],
    adds: (data) => ({
      message: `Validation timeout: ${data.auto_confirmed_count} matches auto-confirmed`,
    }),
  }),
  domainEvent({
    type: "huleedu.class.created.v1",
    variable: "CLASS_CREATED_TOPIC",
    notification: "class_created",
    category: "class_management",
    priority: "standard",
    // The only word on that: others may add students to a class that is not theirs.
    owns: "class",
    data: subjectSchema.extend({ class_id: reference, class_name: optionalName }),
    shows: ["class_id", "class_name", "timestamp"],
  }),
  domainEvent({
    type: "huleedu.student.created.v1",
    secondType: "huleedu.class.student.created.v1",
    variable: "STUDENT_CREATED_TOPIC",
    notification: "student_created",
    category: "class_management",
    priority: "standard",
    data: subjectSchema.extend({ student_id: reference }),
    shows: ["student_id", "class_id", "timestamp"],
  }),
  domainEvent({
    type: "huleedu.essay.student.association.updated.v1",
    secondType: "huleedu.class.essay.association.updated.v1",
    variable: "ESSAY_STUDENT_ASSOCIATION_UPDATED_TOPIC",
    notification: "essay_student_association_updated",
    category: "class_management",
    priority: "standard",
    data: subjectSchema.extend({ essay_id: reference }),
    shows: ["essay_id", "student_id", "batch_id", "batch_name", "timestamp"],
  }),
];
