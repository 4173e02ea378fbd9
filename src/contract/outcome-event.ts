/** The event that tells other services what became of a notification. Ids and words, never what it said. */
import { z } from "zod";
import { CHANNEL_STATUSES, REASONS, STATUSES } from "./vocabulary.ts";

/** The event's type, and the topic's name unless the configuration says otherwise. */
export const OUTCOME_EVENT_TYPE = "notifications.outcome.v1";

/**
 * `settled`: nothing more will be tried, `status` says how it ended; once more where a carrier says
 * afterwards that an SMS did not arrive. `late`: it had ended without reaching anybody, and did after
 * all. `confirmed`: the recipient's side said so. `redriven`: it had ended and is being sent again, as
 * somebody wants it, or as its SMS did not arrive.
 */
export const OUTCOME_KINDS = ["settled", "late", "confirmed", "redriven"] as const;

const time = z.iso.datetime();

const channelOutcome = z.object({
  status: z.enum(CHANNEL_STATUSES),
  reason: z.enum(REASONS).optional(),
  at: time.describe("since when"),
  confirmed_at: time.optional().describe("when the recipient's side said so"),
});

export const outcomeSchema = z.object({
  outcome_id: z
    .string()
    .regex(/^\d+-\d+-\d+$/)
    .describe("the same however often the event is sent: drop what was seen"),
  outcome: z.enum(OUTCOME_KINDS).describe("what this event tells of"),
  notification_id: z.string(),
  event_id: z.string().optional().describe("of the event that asked for it, if one did"),
  correlation_id: z.string().describe("as given with the request"),
  user_id: z.string().describe("whom it was for"),
  template_id: z.string(),
  notification_type: z.string(),
  caller: z.string().describe("who sent it"),
  status: z.enum(STATUSES).describe("what the notification as a whole is now"),
  channels: z.object({ websocket: channelOutcome, push: channelOutcome, sms: channelOutcome }),
  replay_id: z.string().optional().describe("its place in the user's history, if it has one"),
  accepted_at: time,
  at: time.describe("when this came about"),
});

/** The value of a record on the topic; its key is the user id. */
export const outcomeEventSchema = z.object({
  event_id: z.string().describe("the outcome id"),
  event_type: z.literal(OUTCOME_EVENT_TYPE),
  event_timestamp: time,
  source_service: z.literal("schoolbell"),
  correlation_id: z.string(),
  data: outcomeSchema,
});
export type OutcomeEvent = z.infer<typeof outcomeEventSchema>;
