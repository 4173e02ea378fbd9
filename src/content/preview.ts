/** What a notification would say, to whom it may concern, before it is sent. Nothing is stored. */
import { z } from "zod";
import { LOCALES } from "../contract/vocabulary.ts";
import { deadlineOf } from "./deadline.ts";
import type { Renderer, Subject } from "./render.ts";
import { smsSize } from "./sms-segments.ts";
import type { Template } from "./template.ts";

export const previewSchema = z.object({
  requested: z.string().describe("the language that was asked for"),
  locale: z.enum(LOCALES).describe("the language of the texts"),
  dir: z.enum(["ltr", "rtl"]),
  title: z.string().describe("over the authenticated socket"),
  body: z.string(),
  public_title: z.string().describe("on a lock screen: public fields only"),
  public_body: z.string(),
  url: z.string().describe("where a tap leads: a path of this site, or an address"),
  actions: z
    .array(z.object({ action: z.string(), title: z.string(), url: z.string() }))
    .describe("the template's own; a push has `mark-read` or `remind-later` beside them"),
  sms: z.object({
    text: z.string().describe("what a phone shows, should it go out by SMS"),
    encoding: z
      .enum(["gsm7", "ucs2"])
      .describe("gsm7: 160 characters in one segment, 153 in each of several; ucs2: 70 and 67"),
    segments: z.int().describe("what it costs; two at most"),
    characters: z
      .int()
      .describe("as carriers count: `€ [ ] { } ^ ~ | \\` are two in gsm7, an emoji in ucs2"),
  }),
});
export type Preview = z.infer<typeof previewSchema>;

export interface PreviewRequest {
  readonly data: Readonly<Record<string, unknown>>;
  readonly timezone?: string | undefined;
  readonly batch_id?: string | undefined;
  readonly class_id?: string | undefined;
  readonly student_id?: string | undefined;
}

/** @param now epoch ms: as if it were accepted and delivered then. */
export type RenderPreview = (
  template: Template,
  request: PreviewRequest,
  tag: string,
  now: number,
) => Preview;

export function createPreview(options: {
  readonly renderer: Renderer;
  /** How the outside reaches this service, without a slash at the end. */
  readonly publicUrl: () => string;
}): RenderPreview {
  const { renderer, publicUrl } = options;

  return (template, request, tag, now) => {
    const deadline = deadlineOf(template, request.data, now);
    const subject: Subject = {
      data: request.data,
      locale: tag,
      timezone: request.timezone,
      deadline: deadline === null ? null : new Date(deadline).toISOString(),
      now,
      batchId: request.batch_id,
      classId: request.class_id,
      studentId: request.student_id,
    };
    const open = renderer.inApp(template, subject);
    const shown = renderer.lockScreen(template, subject);
    const link = shown.url.startsWith("/") ? `${publicUrl()}${shown.url}` : shown.url;
    const text = renderer.sms(template, subject, link);
    return {
      requested: tag,
      locale: open.locale,
      dir: open.dir,
      title: open.title,
      body: open.body,
      public_title: shown.title,
      public_body: shown.body,
      url: shown.url,
      actions: shown.actions.map((action) => ({ ...action })),
      sms: { text, ...smsSize(text) },
    };
  };
}
