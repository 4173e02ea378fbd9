/** What a template is, and the schema of the YAML file that describes one. */
import { z } from "zod";
import { CATEGORIES, CHANNELS, FAMILIES, PRIORITIES } from "../contract/vocabulary.ts";
import type { Category, Channel, Family, Priority } from "../contract/vocabulary.ts";
import { RESERVED_NAMES } from "./text-names.ts";
import { contradictions } from "./template-contradictions.ts";

/** What a browser shows at most beside a notification. */
const MAX_ACTIONS = 2;
/** Every variant doubles the number of sentences to translate. */
const MAX_VARIANTS = 3;
const MAX_FIELDS = 50;
const MAX_DEADLINE_HOURS = 8_760;

interface TemplateAction {
  /** What the service worker reports when it is pressed; its label is `actions.<id>` in the texts. */
  readonly id: string;
  readonly url: string;
}

/** The part of a template's JSON Schema that the code itself looks at. */
interface DataSchema {
  readonly type: "object";
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Template {
  readonly id: string;
  readonly family: Family;
  readonly sourceService: string;
  readonly notificationType: string;
  readonly category: Category;
  readonly priority: Priority;
  readonly actionRequired: boolean;
  readonly channels: readonly Channel[];
  /** May go out by SMS whatever its priority is. */
  readonly smsTier: "critical" | undefined;
  /** Not worth delivering any more once its deadline has passed. */
  readonly expirable: boolean;
  readonly deadline:
    | { readonly field: string; readonly defaultHours: number | undefined }
    | undefined;
  /** How long a push service keeps it: by priority, or until the deadline. */
  readonly pushTtl: "priority" | "deadline";
  readonly dataSchema: DataSchema;
  /** Fields of `data` that hold a date-time. */
  readonly dateFields: ReadonlySet<string>;
  /** Fields that may appear outside the authenticated socket: lock screen, SMS, links. */
  readonly publicFields: ReadonlySet<string>;
  /** Optional fields the texts mention; each has sentences of its own for when it is absent. */
  readonly variants: readonly string[];
  /** The number that chooses between singular and plural sentences. */
  readonly plural: string | undefined;
  /** Pattern of what a newer notification replaces on the lock screen. */
  readonly collapse: string | undefined;
  /**
   * Names the occurrence that several templates tell of. A domain event and a teacher event of one
   * family about the same thing ring once.
   */
  readonly dedupeFamily: string | undefined;
  /** A question: unless it is answered by then, this template follows so long before its deadline. */
  readonly warning: { readonly template: string; readonly hoursBefore: number } | undefined;
  /** An answer: of this template nothing is sent unasked about the same matter any more. */
  readonly cancels: string | undefined;
  /** Where a tap leads: the first pattern whose fields are all there. */
  readonly urls: readonly string[];
  readonly actions: readonly TemplateAction[];
}

/** SMS costs money and wakes people: only what is critical, or concerns an IEP, may use it. */
export function isSmsEligible(
  template: Pick<Template, "family" | "smsTier">,
  priority: Priority,
): boolean {
  return priority === "critical" || template.family === "iep" || template.smsTier === "critical";
}

const slug = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "must be lower-case letters, digits and _");
const urlPattern = z
  .string()
  .max(256)
  .regex(
    /^(\/(?!\/)[A-Za-z0-9/_{}?=&.-]*|\{[a-z_]+\})$/,
    "must be a path such as /iep/{iep_id}, or one whole field such as {url}",
  );

const dataSchema = z.looseObject({
  type: z.literal("object"),
  required: z.array(z.string()).default([]),
  properties: z
    .record(slug, z.record(z.string(), z.unknown()))
    .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, `at most ${MAX_FIELDS} fields`),
});

const templateFile = z
  .strictObject({
    // The texts keep words of their own under these names.
    id: slug.refine((id) => !RESERVED_NAMES.includes(id), "is a reserved name"),
    family: z.enum(FAMILIES),
    source_service: slug,
    notification_type: slug.optional(),
    category: z.enum(CATEGORIES),
    priority: z.enum(PRIORITIES),
    action_required: z.boolean(),
    channels: z.array(z.enum(CHANNELS)).min(1).max(CHANNELS.length),
    sms_tier: z.literal("critical").optional(),
    expirable: z.boolean().default(false),
    deadline: z
      .strictObject({
        field: slug,
        default_hours: z.number().positive().max(MAX_DEADLINE_HOURS).optional(),
      })
      .optional(),
    push_ttl: z.enum(["priority", "deadline"]).default("priority"),
    public_fields: z.array(slug).max(MAX_FIELDS),
    variants: z.array(slug).max(MAX_VARIANTS).default([]),
    plural: slug.optional(),
    collapse: z.string().max(128).optional(),
    dedupe_family: slug.optional(),
    warning: z
      .strictObject({ template: slug, hours_before: z.number().positive().max(MAX_DEADLINE_HOURS) })
      .optional(),
    cancels: slug.optional(),
    url: z.union([urlPattern.transform((one) => [one]), z.array(urlPattern).min(1).max(4)]),
    actions: z
      .array(z.strictObject({ id: slug, url: urlPattern }))
      .max(MAX_ACTIONS)
      .default([]),
    data: dataSchema,
  })
  .superRefine((file, context) => {
    for (const { path, message } of contradictions(file)) {
      context.addIssue({ code: "custom", path, message });
    }
  });

/** The YAML of one template, checked and brought to the form the code uses. */
export const templateSchema = templateFile.transform((file): Template => {
  const { properties } = file.data;
  const dateFields = Object.keys(properties).filter(
    (name) => properties[name]?.["format"] === "date-time",
  );
  return {
    id: file.id,
    family: file.family,
    sourceService: file.source_service,
    notificationType: file.notification_type ?? file.id,
    category: file.category,
    priority: file.priority,
    actionRequired: file.action_required,
    channels: file.channels,
    smsTier: file.sms_tier,
    expirable: file.expirable,
    deadline:
      file.deadline === undefined
        ? undefined
        : { field: file.deadline.field, defaultHours: file.deadline.default_hours },
    pushTtl: file.push_ttl,
    dataSchema: file.data,
    dateFields: new Set(dateFields),
    publicFields: new Set(file.public_fields),
    variants: file.variants,
    plural: file.plural,
    collapse: file.collapse,
    dedupeFamily: file.dedupe_family,
    warning:
      file.warning === undefined
        ? undefined
        : { template: file.warning.template, hoursBefore: file.warning.hours_before },
    cancels: file.cancels,
    urls: file.url,
    actions: file.actions,
  };
});
