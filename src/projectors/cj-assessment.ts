/** What CJ Assessment (comparative judgement) says: a batch has been judged, or could not be. */
import { domainEvent } from "./domain-event.ts";
import { count, reference, sentence, subjectSchema } from "./event-fields.ts";

const completed = subjectSchema.extend({
  batch_id: reference,
  assessment_id: reference,
  comparison_count: count,
});

export const CJ_ASSESSMENT_EVENTS = [
  domainEvent({
    type: "huleedu.cj_assessment.completed.v1",
    variable: "CJ_ASSESSMENT_COMPLETED_TOPIC",
    notification: "cj_assessment_completed",
    category: "processing_results",
    priority: "standard",
    owns: "batch",
    data: completed,
    shows: ["batch_id", "batch_name", "assessment_id", "comparison_count", "timestamp"],
    adds: () => ({ message: "CJ Assessment completed successfully" }),
  }),
  domainEvent({
    type: "huleedu.cj_assessment.failed.v1",
    variable: "CJ_ASSESSMENT_FAILED_TOPIC",
    notification: "cj_assessment_failed",
    category: "system_alerts",
    priority: "immediate",
    actionRequired: true,
    owns: "batch",
    data: subjectSchema.extend({ batch_id: reference, error_message: sentence }),
    shows: ["batch_id", "batch_name", "error_message", "timestamp"],
    adds: () => ({ message: "CJ Assessment failed - manual review required" }),
  }),
];
