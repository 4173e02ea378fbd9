/** `GET /analytics` for dashboards and `GET /audit` for administrators. */
import { z } from "zod";
import { ADMIN } from "../auth/scopes.ts";
import { userIdSchema } from "../contract/notification-request.ts";
import { pageQuery } from "../http/page-query.ts";
import { tokenRoute, type Route } from "../http/route.ts";
import type { Clock } from "../platform/clock.ts";
import { Problem } from "../platform/problems.ts";
import { analyticsSchema, type Analytics } from "./analytics.ts";
import { auditEntrySchema } from "./audit.ts";
import { decodeCursor, encodeCursor, type Position } from "./audit-position.ts";
import type { AuditReader } from "./audit-reader.ts";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
const MAX_DAYS = 366;
const MAX_AUDIT_ENTRIES = 1_000;
const MAX_ACTION_LENGTH = 64;

const day = z.iso.date({ error: "must be a date such as 2026-11-21" });
const instant = z.iso.datetime({ offset: true });

/** A JSON object of the query `start_date`, `end_date`, defaults filled in: both inclusive, UTC. */
function rangeOf(
  query: { start_date?: string | undefined; end_date?: string | undefined },
  now: number,
) {
  const end = query.end_date ?? new Date(now).toISOString().slice(0, 10);
  const earlier = Date.parse(end) - (DEFAULT_DAYS - 1) * DAY_MS;
  const start = query.start_date ?? new Date(earlier).toISOString().slice(0, 10);
  const days = (Date.parse(end) - Date.parse(start)) / DAY_MS + 1;
  if (days < 1) {
    throw new Problem("invalid_date_range", "start_date is after end_date.", {
      errors: [{ path: "start_date", message: "must not be after end_date" }],
    });
  }
  if (days > MAX_DAYS) {
    throw new Problem("invalid_date_range", `The range is longer than ${MAX_DAYS} days.`, {
      errors: [{ path: "start_date", message: `at most ${MAX_DAYS} days before end_date` }],
    });
  }
  return { start, end };
}

function positionFrom(cursor: string): Position {
  const position = decodeCursor(cursor);
  if (position !== undefined) return position;
  throw new Problem("invalid_request", "The cursor is not one that an answer gave.", {
    errors: [{ path: "cursor", message: "must be `next` of an earlier answer" }],
  });
}

export function reportRoutes(options: {
  readonly analytics: Analytics;
  readonly audit: AuditReader;
  readonly clock: Pick<Clock, "now">;
}): Route[] {
  const { analytics, audit, clock } = options;
  return [
    tokenRoute({
      method: "get",
      path: "/analytics",
      tag: "Reports",
      summary: "What was sent and what came of it, by day",
      scopes: ["analytics:read", ADMIN],
      rateLimit: "default",
      query: z.object({
        start_date: day.optional().describe("first day, UTC; default: six days before the last"),
        end_date: day.optional().describe("last day, UTC; default: today; at most 366 days"),
      }),
      responses: { 200: { description: "Sums over the days", schema: analyticsSchema } },
      problems: ["invalid_request", "invalid_date_range", "forbidden"],
      async handle({ query }) {
        const { start, end } = rangeOf(query, clock.now());
        return { status: 200, body: await analytics.read(start, end) };
      },
    }),

    tokenRoute({
      method: "get",
      path: "/audit",
      tag: "Reports",
      summary: "Who sent what to whom, newest first",
      scopes: [ADMIN],
      rateLimit: "default",
      query: z.object({
        from: instant.optional().describe("nothing older; default: no limit"),
        to: instant.optional().describe("nothing newer; default: no limit"),
        user_id: userIdSchema.optional().describe("only what concerns this user"),
        notification_id: z.string().max(64).optional().describe("only this notification"),
        action: z.string().max(MAX_ACTION_LENGTH).optional().describe("such as accepted, rejected"),
        ...pageQuery({ max: MAX_AUDIT_ENTRIES, preset: 100 }),
      }),
      responses: {
        200: {
          description:
            "Entries. One answer looks at a bounded part of the trail: go on while there is a `next`, " +
            "even if there are no entries.",
          schema: z.object({
            entries: z.array(auditEntrySchema),
            next: z.string().optional().describe("`cursor` for what is older; left out at the end"),
          }),
        },
      },
      problems: ["invalid_request", "invalid_date_range", "forbidden"],
      async handle({ query }) {
        const { user_id: userId, notification_id: notificationId, action, limit } = query;
        const from = query.from === undefined ? undefined : Date.parse(query.from);
        const to = query.to === undefined ? undefined : Date.parse(query.to);
        if (from !== undefined && to !== undefined && from > to) {
          throw new Problem("invalid_date_range", "from is after to.");
        }
        const after = query.cursor === undefined ? undefined : positionFrom(query.cursor);
        const filter = { from, to, userId, notificationId, action };
        const { entries, next } = await audit.read({ ...filter, after, limit });
        const body = { entries, ...(next === undefined ? {} : { next: encodeCursor(next) }) };
        return { status: 200, body };
      },
    }),
  ];
}
