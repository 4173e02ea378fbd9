/** What a caller has to know of a template to send with it. */
import { z } from "zod";
import { CATEGORIES, CHANNELS, FAMILIES, LOCALES, PRIORITIES } from "../contract/vocabulary.ts";
import type { Locales } from "./locales.ts";
import { isSmsEligible, type Template } from "./template.ts";

/** `always`: unasked; `if_requested`: where `channels` has sms; `if_critical`: where it is raised, too. */
const SMS_RULES = ["always", "if_requested", "if_critical"] as const;

export const catalogEntrySchema = z.object({
  template_id: z.string().meta({ examples: ["iep_meeting_reminder"] }),
  family: z.enum(FAMILIES).describe("a token with `notify:send:<family>` may send it"),
  category: z.enum(CATEGORIES),
  priority: z.enum(PRIORITIES).describe("where the request does not say"),
  channels: z.array(z.enum(CHANNELS)).describe("where the request does not say"),
  sms_when: z
    .enum(SMS_RULES)
    .describe(
      "when it goes out by SMS: without asking, if `channels` of the request has sms, or only if " +
        "the request also raises it to critical",
    ),
  notification_type: z.string().describe("under which name analytics count it"),
  action_required: z.boolean().describe("whether the person must do something"),
  actions: z.array(z.string()).describe("ids of the buttons on a lock screen"),
  public_fields: z
    .array(z.string())
    .describe("fields of `data` that may show on a lock screen, in an SMS or in a link"),
  data_schema: z
    .record(z.string(), z.unknown())
    .describe("JSON Schema (2020-12) of `data`; fields that it does not list are handed on"),
  locales: z.array(z.enum(LOCALES)).describe("languages that it has texts in"),
});
export type CatalogEntry = z.infer<typeof catalogEntrySchema>;

/** When a template goes out by SMS, at its own priority. */
export function smsRule(template: Template): CatalogEntry["sms_when"] {
  if (!isSmsEligible(template, template.priority)) return "if_critical";
  return template.channels.includes("sms") ? "always" : "if_requested";
}

/** The entry of one template, as `GET /templates` shows it. */
export function describeTemplate(
  template: Template,
  locales: Pick<Locales, "entries">,
): CatalogEntry {
  return {
    template_id: template.id,
    family: template.family,
    category: template.category,
    priority: template.priority,
    channels: [...template.channels],
    sms_when: smsRule(template),
    notification_type: template.notificationType,
    action_required: template.actionRequired,
    actions: template.actions.map(({ id }) => id),
    public_fields: [...template.publicFields],
    data_schema: { ...template.dataSchema },
    locales: LOCALES.filter(
      (locale) => locales.entries(locale, template.family)[template.id] !== undefined,
    ),
  };
}
