/** Asking what became of a notification, and cancelling it. */
import { z } from "zod";
import { isAdmin } from "../auth/scopes.ts";
import type { Caller } from "../contract/caller.ts";
import { tokenRoute, type Route } from "../http/route.ts";
import { Problem } from "../platform/problems.ts";
import type { NoteChange } from "./ledger-changes.ts";
import type { Note } from "./note.ts";
import { notificationDetailSchema, viewDetail } from "./view.ts";

const idParams = z.object({ id: z.string().max(64).describe("`notification_id` of an answer") });

export interface TrackingRoutesOptions {
  readonly fetch: (ids: readonly string[]) => Promise<Map<string, Note>>;
  readonly advance: (changes: readonly NoteChange[]) => Promise<boolean[]>;
  /** The change that cancels a scheduled note. */
  readonly cancel: (note: Note) => NoteChange;
  readonly isNoteId: (id: string) => boolean;
}

/** Another's notification is not "forbidden" but not there: ids must not be worth guessing. */
function assertMayRead(note: Note | undefined, caller: Caller): asserts note is Note {
  const allowed =
    note !== undefined &&
    (note.callerId === caller.userId || note.userId === caller.userId || isAdmin(caller));
  if (!allowed) throw new Problem("not_found", "There is no such notification.");
}

export function trackingRoutes(options: TrackingRoutesOptions): Route[] {
  async function read(id: string, caller: Caller): Promise<Note> {
    const note = options.isNoteId(id) ? (await options.fetch([id])).get(id) : undefined;
    assertMayRead(note, caller);
    return note;
  }

  return [
    tokenRoute({
      method: "get",
      path: "/notifications/:id",
      tag: "Notifications",
      summary: "What became of a notification",
      scopes: [],
      rateLimit: "default",
      params: idParams,
      responses: {
        200: { description: "Its state and history", schema: notificationDetailSchema },
      },
      problems: ["not_found"],
      async handle({ params, caller }) {
        return { status: 200, body: viewDetail(await read(params.id, caller)) };
      },
    }),

    tokenRoute({
      method: "delete",
      path: "/notifications/:id",
      tag: "Notifications",
      summary: "Cancel a scheduled notification",
      scopes: [],
      rateLimit: "default",
      params: idParams,
      responses: { 200: { description: "It is cancelled", schema: notificationDetailSchema } },
      problems: ["not_found", "not_cancellable"],
      async handle({ params, caller }) {
        const note = await read(params.id, caller);
        const cancelled =
          note.status === "scheduled" &&
          (await options.advance([options.cancel(note)]))[0] === true;
        if (!cancelled) {
          throw new Problem(
            "not_cancellable",
            "Only what is scheduled and not begun can be cancelled.",
          );
        }
        return { status: 200, body: viewDetail(await read(params.id, caller)) };
      },
    }),
  ];
}
