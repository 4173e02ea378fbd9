/** The body of `POST /notify`: the one shape every way in is brought to. */
import { z } from "zod";
import { CHANNELS, PRIORITIES, STRATEGIES } from "./vocabulary.ts";

/** Keeps `:` and `*` out of Redis keys and channel names. */
export const USER_ID_PATTERN = /^[A-Za-z0-9._@-]{1,128}$/;
const PHONE_PATTERN = /^\+[1-9]\d{6,14}$/;
const SLUG_PATTERN = /^[a-z0-9_]{1,64}$/;

export const userIdSchema = z
  .string()
  .regex(USER_ID_PATTERN, "must be 1 to 128 letters, digits or . _ @ -");

const reference = z.string().min(1).max(128);
const instant = z.iso.datetime({
  offset: true,
  error: "must be an RFC 3339 date-time such as 2026-09-15T14:00:00Z",
});

/** Any letter case is taken; `normal` is an older name of `standard`. */
const prioritySchema = z.preprocess((value) => {
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
  .refine(isTimeZone, "must be an IANA time zone such as Europe/Stockholm");

/** A BCP 47 tag; which of the seven texts it selects is decided at rendering. */
export const localeSchema = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/, "must be a language tag such as en-US");

export const phoneNumberSchema = z
  .string()
  .regex(PHONE_PATTERN, "must be an E.164 number such as +46701234567");

export const notificationRequestSchema = z.object({
  user_id: userIdSchema,
  template_id: z.string().min(1).max(128),
  notification_type: z.string().regex(SLUG_PATTERN).optional(),
  channels: z
    .array(z.enum(CHANNELS))
    .min(1)
    .max(16)
    .transform((list) => [...new Set(list)])
    .optional(),
  priority: prioritySchema.optional(),
  data: z.record(z.string(), z.unknown()).default({}),
  locale: localeSchema.optional(),
  timezone: timeZoneSchema.optional(),
  phone_number: phoneNumberSchema.optional(),
  strategy: z.enum(STRATEGIES).default("fallback"),
  send_at: instant.optional(),
  expires_at: instant.optional(),
  event_id: reference.optional(),
  correlation_id: reference.optional(),
  batch_id: reference.optional(),
  class_id: reference.optional(),
  student_id: reference.optional(),
});

export type NotificationRequest = z.infer<typeof notificationRequestSchema>;
