/** `GET /templates` and `POST /templates/{id}/preview`: what can be sent, and what it would say. */
import { z } from "zod";
import { canNotify, SEND_SCOPES } from "../auth/scopes.ts";
import { localeSchema, referenceSchema, timeZoneSchema } from "../contract/notification-request.ts";
import { LOCALES } from "../contract/vocabulary.ts";
import { tokenRoute, type Route } from "../http/route.ts";
import { Problem } from "../platform/problems.ts";
import { catalogEntrySchema, describeTemplate, smsRule } from "./catalog.ts";
import type { Locales } from "./locales.ts";
import { previewSchema, type RenderPreview } from "./preview.ts";
import type { TemplateRegistry } from "./registry.ts";

/** Twice as many as there are languages: regions of one differ in how they write dates. */
const MAX_LOCALES = 14;
const TAG = "Templates";

const reference = referenceSchema.optional();

const previewRequestSchema = z.object({
  data: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("as in POST /notify, and checked as there; default: {}"),
  locale: localeSchema.optional().describe("the one language to show; default: `locales`"),
  locales: z
    .array(localeSchema)
    .min(1)
    .max(MAX_LOCALES)
    .optional()
    .describe("the languages to show, in this order; default: all"),
  timezone: timeZoneSchema.optional().describe("zone of times in the texts; default: UTC"),
  batch_id: reference.describe("as in POST /notify; default: none"),
  class_id: reference.describe("as in POST /notify; default: none"),
  student_id: reference.describe("as in POST /notify; default: none"),
});

const EXAMPLE = {
  data: { title: "Good morning", body: "The first bell rings at eight." },
  locales: ["en-GB", "ar"],
  timezone: "Europe/Stockholm",
} satisfies z.input<typeof previewRequestSchema>;

export interface ContentRoutesOptions {
  readonly templates: TemplateRegistry;
  readonly locales: Pick<Locales, "entries">;
  readonly preview: RenderPreview;
  readonly clock: { now(): number };
}

export function contentRoutes(options: ContentRoutesOptions): Route[] {
  return [listRoute(options), previewRoute(options)];
}

function listRoute({ templates, locales }: ContentRoutesOptions): Route {
  const entries = templates.list().map((template) => describeTemplate(template, locales));
  return tokenRoute({
    method: "get",
    path: "/templates",
    tag: TAG,
    summary: "The templates that this token may send, and what each needs",
    scopes: SEND_SCOPES,
    rateLimit: "default",
    responses: {
      200: {
        description: "The templates",
        schema: z.object({ templates: z.array(catalogEntrySchema) }),
      },
    },
    problems: ["forbidden"],
    handle: ({ caller }) => ({
      status: 200,
      body: { templates: entries.filter(({ family }) => canNotify(caller, family)) },
    }),
  });
}

function previewRoute({ templates, preview, clock }: ContentRoutesOptions): Route {
  return tokenRoute({
    method: "post",
    path: "/templates/:id/preview",
    tag: TAG,
    summary:
      "What a notification would say in each language and channel; nothing is sent or stored",
    scopes: SEND_SCOPES,
    rateLimit: "default",
    params: z.object({
      id: z
        .string()
        .max(128)
        .describe("`template_id` of POST /notify")
        .meta({ examples: ["announcement"] }),
    }),
    body: previewRequestSchema,
    example: EXAMPLE,
    responses: {
      200: {
        description: "The texts, one entry for each language",
        schema: z.object({
          template_id: z.string(),
          sms_when: catalogEntrySchema.shape.sms_when,
          previews: z.array(previewSchema),
        }),
      },
    },
    problems: ["unknown_template", "forbidden", "invalid_template_data"],
    handle({ params, body, caller }) {
      const template = templates.get(params.id);
      if (template === undefined) {
        throw new Problem("unknown_template", `There is no template ${params.id}.`);
      }
      if (!canNotify(caller, template.family)) {
        throw new Problem(
          "forbidden",
          `The token needs the scope notify:send or notify:send:${template.family}.`,
        );
      }
      const errors = templates.checkData(template, body.data, body);
      if (errors.length > 0) {
        throw new Problem("invalid_template_data", `The data does not fit ${template.id}.`, {
          errors,
        });
      }
      const tags = body.locale === undefined ? (body.locales ?? LOCALES) : [body.locale];
      const now = clock.now();
      const previews = tags.map((tag) => preview(template, body, tag, now));
      return {
        status: 200,
        body: { template_id: template.id, sms_when: smsRule(template), previews },
      };
    },
  });
}
