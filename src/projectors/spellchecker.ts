/** What the Spellchecker says: one essay is done. */
import { domainEvent } from "./domain-event.ts";
import { count, reference, subjectSchema } from "./event-fields.ts";

const checked = subjectSchema.extend({
  batch_id: reference,
  essay_id: reference,
  corrections_count: count,
});

export const SPELLCHECKER_EVENTS = [
  domainEvent({
    type: "huleedu.essay.spellcheck.completed.v1",
    variable: "SPELLCHECK_COMPLETED_TOPIC",
    notification: "spellcheck_completed",
    category: "processing_results",
    priority: "standard",
    data: checked,
    shows: ["batch_id", "batch_name", "essay_id", "corrections_count", "timestamp"],
    adds: (data) => ({
      message: `Spellcheck completed: ${data.corrections_count} corrections made`,
    }),
  }),
];
