/** The body of `POST /notify`: the one shape every way in is brought to. */
import { z } from "zod";
import { CHANNELS, PRIORITIES, STRATEGIES } from "./vocabulary.ts";

/** Keeps `:` and `*` out of Redis keys and channel names. */
export const USER_ID_PATTERN = /^[A-Za-z0-9._@-]{1,128}$/;
const PHONE_PATTERN = /^\+[1-9]\d{6,14}$/;
const SLUG_PATTERN = /^[a-z0-9_]{1,64}$/;

export const userIdSchema = z
  .string()
  .regex(USER_ID_PATTERN, "must be 1 to 128 letters, digits or . _ @ -")
  .meta({ examples: ["teacher-1"] });

/** An id of somebody else's. The ledger's scripts refuse halves of a character. */
export const referenceSchema = z
  .string()
  .min(1)
  .max(128)
  .refine((text) => text.isWellFormed(), "must be well-formed Unicode");
const instant = z.iso.datetime({
  offset: true,
  error: "must be an RFC 3339 date-time such as 2026-09-15T14:00:00Z",
});

/** Any letter case is taken; `normal` is an older name of `standard`. */
export const prioritySchema = z.preprocess((value) => {
  if (typeof value !== "string") return value;
  const lower = value.toLowerCase();
  return lower === "normal" ? "standard" : lower;
}, z.enum(PRIORITIES));

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, "must be an IANA time zone such as Europe/Stockholm")
  .meta({ examples: ["Europe/Stockholm"] });

/** A BCP 47 tag; which of the seven texts it selects is decided at rendering. */
export const localeSchema = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/, "must be a language tag such as en-US")
  .meta({ examples: ["en-US"] });

export const phoneNumberSchema = z
  .string()
  .regex(PHONE_PATTERN, "must be an E.164 number such as +46701234567")
  .meta({ examples: ["+46701234567"] });

export const notificationRequestSchema = z.object({
  user_id: userIdSchema.describe("whom it is for"),
  template_id: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: "what kind of message it is", examples: ["announcement"] }),
  notification_type: z
    .string()
    .regex(SLUG_PATTERN)
    .optional()
    .meta({
      description: "under which name analytics count it; default: the template's",
      examples: ["announcement"],
    }),
  channels: z
    .array(z.enum(CHANNELS))
    .min(1)
    .max(16)
    .transform((list) => [...new Set(list)])
    .optional()
    .describe(
      "which channels may be used, always in the order websocket, push, sms; default: the " +
        "template's. SMS only goes out when it is critical, of the IEP family, or the template says so",
    ),
  priority: prioritySchema
    .optional()
    .describe(
      "default: the template's. Raising it to critical needs the scope notify:send:critical; any " +
        "letter case, and normal for standard, is taken",
    ),
  data: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("what the template's sentences need, by the template's own schema; default: {}"),
  locale: localeSchema
    .optional()
    .describe("language of the message; default: the person's preference, else the installation's"),
  timezone: timeZoneSchema
    .optional()
    .describe("zone of times in the message; default: the person's preference, else UTC"),
  phone_number: phoneNumberSchema
    .optional()
    .describe("number for SMS; default: the person's preference; without one SMS is skipped"),
  strategy: z
    .enum(STRATEGIES)
    .default("fallback")
    .describe(
      "fallback: the next channel only if the ones before reached nobody; all: every channel; " +
        "default: fallback",
    ),
  send_at: instant
    .optional()
    .describe("not before then, at most a year ahead; default, and if it has passed: now"),
  expires_at: instant
    .optional()
    .describe("not after then; later than now and send_at; default: never, or the template's"),
  event_id: referenceSchema
    .optional()
    .describe(
      "id of the event behind it: with the same one within 7 days it is the same notification, " +
        "whoever sends it; default: none",
    ),
  correlation_id: referenceSchema
    .optional()
    .describe("handed on to the client; default: event_id, else the notification's id"),
  batch_id: referenceSchema
    .optional()
    .describe("handed on; also serves data.batch_id; default: none"),
  class_id: referenceSchema
    .optional()
    .describe("handed on; also serves data.class_id; default: none"),
  student_id: referenceSchema
    .optional()
    .describe("handed on; also serves data.student_id; default: none"),
});

export type NotificationRequest = z.infer<typeof notificationRequestSchema>;
