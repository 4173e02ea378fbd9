/** `GET` and `PUT /preferences`: what a person chooses for themselves. */
import { z } from "zod";
import { isAdmin } from "../auth/scopes.ts";
import type { Caller } from "../contract/caller.ts";
import { userIdSchema } from "../contract/notification-request.ts";
import { tokenRoute, type Route } from "../http/route.ts";
import { Problem } from "../platform/problems.ts";
import { preferencesSchema, type PreferenceStore } from "./preferences.ts";

const query = z.object({
  user_id: userIdSchema.optional().describe("another user, for administrators"),
});

const EXAMPLE = {
  locale: "sv-SE",
  timezone: "Europe/Stockholm",
  phone_number: "+46701234567",
  channels: { websocket: true, push: true, sms: false },
  quiet_hours: { from: "21:30", to: "07:00" },
} satisfies z.infer<typeof preferencesSchema>;

/** Whose preferences are meant: one's own, or with `admin` anyone's. */
function subjectOf(caller: Caller, userId: string | undefined): string {
  if (userId === undefined || userId === caller.userId) return caller.userId;
  if (!isAdmin(caller)) throw new Problem("forbidden", "Only an administrator may name a user.");
  return userId;
}

export function preferenceRoutes(options: {
  readonly preferences: Pick<PreferenceStore, "read" | "replace">;
  readonly onReplaced: (callerId: string, userId: string) => Promise<void>;
}): Route[] {
  const { preferences } = options;
  const shared = {
    path: "/preferences",
    tag: "Preferences",
    scopes: [],
    rateLimit: "default",
    query,
    responses: { 200: { description: "The preferences", schema: preferencesSchema } },
    problems: ["invalid_request", "forbidden"],
  } as const;
  return [
    tokenRoute({
      ...shared,
      method: "get",
      summary: "Read preferences",
      async handle({ query, caller }) {
        const userId = subjectOf(caller, query.user_id);
        return { status: 200, body: await preferences.read(userId) };
      },
    }),
    tokenRoute({
      ...shared,
      method: "put",
      summary: "Replace preferences",
      body: preferencesSchema,
      example: EXAMPLE,
      async handle({ query, body, caller }) {
        const userId = subjectOf(caller, query.user_id);
        await preferences.replace(userId, body);
        await options.onReplaced(caller.userId, userId);
        return { status: 200, body };
      },
    }),
  ];
}
