/** Notifications that failed, for administrators: which, why, and having them sent again. */
import { z } from "zod";
import { ADMIN } from "../auth/scopes.ts";
import { CHANNELS, REASONS } from "../contract/vocabulary.ts";
import { pageQuery } from "../http/page-query.ts";
import { tokenRoute, type Route } from "../http/route.ts";
import { Problem } from "../platform/problems.ts";
import { deadNoteDetailSchema, deadNoteSchema } from "./dead-note-view.ts";
import type { DeadNotes } from "./dead-notes.ts";
import { decodeDeadCursor, encodeDeadCursor, type DeadPosition } from "./dead-position.ts";
import { notificationDetailSchema, viewDetail } from "./view.ts";

const MAX_LIMIT = 500;
const TAG = "Operations";

const idParams = z.object({ id: z.string().max(64).describe("`notification_id` of an entry") });

const listQuery = z.object({
  reason: z.enum(REASONS).optional().describe("only those with a channel that failed for it"),
  template_id: z.string().max(64).optional().describe("only those of this template"),
  ...pageQuery({ max: MAX_LIMIT, preset: 50 }),
});

const redriveBody = z.object({
  channels: z
    .array(z.enum(CHANNELS))
    .min(1)
    .max(CHANNELS.length)
    .optional()
    .describe(
      "which of the channels that reached nobody; default: those that surely failed. An SMS that " +
        "may have been sent (reason `unknown`) is sent again only if `sms` is named",
    ),
});

function positionFrom(cursor: string): DeadPosition {
  const position = decodeDeadCursor(cursor);
  if (position !== undefined) return position;
  throw new Problem("invalid_request", "The cursor is not one that an answer gave.", {
    errors: [{ path: "cursor", message: "must be `next` of an earlier answer" }],
  });
}

export function deadLetterRoutes({ deadNotes }: { readonly deadNotes: DeadNotes }): Route[] {
  return [listRoute(deadNotes), showRoute(deadNotes), redriveRoute(deadNotes)];
}

function listRoute(deadNotes: DeadNotes): Route {
  return tokenRoute({
    method: "get",
    path: "/admin/dead-letters",
    tag: TAG,
    summary: "Notifications that failed and can be sent again, newest first",
    scopes: [ADMIN],
    rateLimit: "default",
    query: listQuery,
    responses: {
      200: {
        description:
          "Entries. One answer looks at a bounded number of notifications: go on while there is a " +
          "`next`, even if there are no entries.",
        schema: z.object({
          entries: z.array(deadNoteSchema),
          next: z.string().optional().describe("`cursor` for what is older; left out at the end"),
        }),
      },
    },
    problems: ["invalid_request", "forbidden"],
    async handle({ query }) {
      const { reason, template_id: templateId, limit } = query;
      const after = query.cursor === undefined ? undefined : positionFrom(query.cursor);
      const { entries, next } = await deadNotes.list({ limit, after, reason, templateId });
      const more = next === undefined ? {} : { next: encodeDeadCursor(next) };
      return { status: 200, body: { entries, ...more } };
    },
  });
}

function showRoute(deadNotes: DeadNotes): Route {
  return tokenRoute({
    method: "get",
    path: "/admin/dead-letters/:id",
    tag: TAG,
    summary: "A failed notification: reasons, tries and history, never what it says",
    scopes: [ADMIN],
    rateLimit: "default",
    params: idParams,
    responses: { 200: { description: "How it failed", schema: deadNoteDetailSchema } },
    problems: ["forbidden", "not_found"],
    async handle({ params }) {
      const found = await deadNotes.show(params.id);
      if (found === undefined) {
        throw new Problem("not_found", "There is no failed notification of this id.");
      }
      return { status: 200, body: found };
    },
  });
}

function redriveRoute(deadNotes: DeadNotes): Route {
  return tokenRoute({
    method: "post",
    path: "/admin/dead-letters/:id/redrive",
    tag: TAG,
    summary: "Send a failed notification again, by the channels that failed",
    scopes: [ADMIN],
    rateLimit: "default",
    params: idParams,
    body: redriveBody,
    example: { channels: ["push"] },
    responses: { 202: { description: "It is queued again", schema: notificationDetailSchema } },
    problems: ["invalid_request", "forbidden", "not_found", "not_redrivable"],
    async handle({ params, body, caller }) {
      const { channels } = body;
      const result = await deadNotes.redrive(params.id, { by: caller.userId, channels });
      switch (result.kind) {
        case "redriven":
          return { status: 202, body: viewDetail(result.note) };
        case "refused":
          throw new Problem("not_redrivable", result.detail);
        case "absent":
          throw new Problem("not_found", "There is no such notification.");
      }
    },
  });
}
