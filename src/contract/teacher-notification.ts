/** The one event with which services ask for a notification to a teacher, and Kafka's event envelope. */
import { z } from "zod";
import { isWrittenWithinYears, OUT_OF_YEARS } from "./event-time.ts";
import { jsonObjectSchema } from "./json-object.ts";
import { prioritySchema, referenceSchema, userIdSchema } from "./notification-request.ts";
import { CATEGORIES } from "./vocabulary.ts";

/** With offset, `Z`, or naive, which is UTC: which of them is decided where it is used. */
const eventTime = z.iso
  .datetime({ offset: true, local: true, abort: true })
  .refine(isWrittenWithinYears, OUT_OF_YEARS);

/**
 * What travels on the topics. `data` is checked by whoever knows the event type; unknown fields are
 * dropped. Producers that write null for what they do not know mean that it is absent.
 */
export const eventEnvelopeSchema = z.object({
  event_id: referenceSchema
    .nullish()
    .describe("the same one is the same event, wherever it comes from"),
  event_type: z.string().min(1).max(256).describe("what `data` is"),
  event_timestamp: eventTime.nullish().describe("when it was written; without an offset it is UTC"),
  source_service: z.string().max(128).nullish().describe("who wrote it"),
  correlation_id: referenceSchema.nullish().describe("handed on to the client"),
  data: jsonObjectSchema,
  metadata: jsonObjectSchema
    .nullish()
    .describe("`traceparent` (W3C Trace Context) goes along; anything else is ignored"),
});
export type EventEnvelope = z.infer<typeof eventEnvelopeSchema>;

const categorySchema = z.preprocess(
  (value) => (typeof value === "string" ? value.toLowerCase() : value),
  z.enum(CATEGORIES),
);

/** `data` of a teacher notification event, or the whole value where it comes without an envelope. */
export const teacherNotificationSchema = z.object({
  teacher_id: userIdSchema.describe("whom it is for"),
  notification_type: z
    .string()
    .regex(/^[a-z0-9_]{1,64}$/)
    .describe("id of the template"),
  category: categorySchema.describe("under what the page groups it"),
  priority: prioritySchema,
  payload: jsonObjectSchema.describe("what the message says, and the page shows"),
  action_required: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false)
    .describe("whether the teacher must do something; default: no"),
  deadline_timestamp: eventTime.nullish().describe("until when; default: the template's"),
  correlation_id: referenceSchema.nullish().describe("id of the event behind it"),
  batch_id: referenceSchema
    .nullish()
    .describe("the batch it is about; its owner must be the teacher"),
  class_id: referenceSchema
    .nullish()
    .describe("the class it is about; its owner must be the teacher"),
  student_id: referenceSchema.nullish(),
  timestamp: eventTime.nullish().describe("when it happened; without an offset it is UTC"),
  projected_from: z
    .string()
    .max(256)
    .nullish()
    .describe("type of the domain event that a projector made it of; absent on what services send"),
});
export type TeacherNotification = z.infer<typeof teacherNotificationSchema>;
