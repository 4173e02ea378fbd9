/** What is asked for when a person puts a notification off. */
import { expect, it } from "vitest";
import { createSnooze } from "../../src/ingest/snooze.ts";
import type { Acceptance, Submission } from "../../src/ingest/submission.ts";
import { Problem } from "../../src/platform/problems.ts";
import type { Note } from "../../src/tracking/note.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { note as noteWith } from "../delivery/notes.ts";

const MINUTE_MS = 60_000;
const clock = createManualClock();

const FRAME = {
  type: "iep_parent_consent",
  event: "iep_parent_consent",
  notification_id: "n",
  category: "iep",
  locale: "vi",
  data: { iep_id: "iep-1", action_required: "Answer" },
  deadline: "2026-09-04T10:00:00.000Z",
  timestamp: "2026-09-01T07:00:00.000Z",
  correlation_id: "c-1",
  batch_id: "b-1",
  class_id: "k-1",
  student_id: "s-1",
};

/** Everything around it, with what was accepted. */
function scene(
  options: {
    frame?: object | null;
    result?: Acceptance;
    /** The id that was claimed before. */
    known?: string;
    /** What became of it. */
    reminder?: Partial<Note>;
    /** Whoever claimed it died before the note was written. */
    unwritten?: boolean;
  } = {},
) {
  const accepted: { submission: Submission; userId: string }[] = [];
  const note = noteWith({ id: "n", templateId: "iep_parent_consent", replayId: "7", epoch: "e" });
  const snooze = createSnooze({
    clock,
    open: (sealed) => sealed.slice("sealed ".length),
    idempotency: { find: () => Promise.resolve(options.known) },
    fetch(ids) {
      const written = options.unwritten === true ? [] : ids;
      const reminders = written.map(
        (id) => [id, { ...note, id, sendAt: clock.now() + 1, ...options.reminder }] as const,
      );
      return Promise.resolve(new Map(reminders));
    },
    history: {
      since: (userId, position) => {
        expect([userId, position]).toEqual(["teacher-1", { epoch: "e", id: 6 }]);
        const payload = `sealed ${JSON.stringify(options.frame ?? FRAME)}`;
        const newer = { replayId: 8, epoch: "e", noteId: "m", payload: "sealed not json" };
        const own = { replayId: 7, epoch: "e", noteId: "n", payload };
        const entries = options.frame === null ? [newer] : [own, newer];
        return Promise.resolve({ epoch: "e", last: 8, base: 0, oldest: 1, missing: 0, entries });
      },
    },
    accept(submissions, caller) {
      for (const submission of submissions) accepted.push({ submission, userId: caller.userId });
      const id = "reminder";
      const taken = { kind: "accepted", id, repeated: false, suppressed: false } as const;
      return Promise.resolve([options.result ?? { ...taken, created: undefined, queued: true }]);
    },
  });
  return { note, snooze, accepted };
}

it("is the same words for the same person, later, by any way but a text message", async () => {
  const { note, snooze, accepted } = scene();
  expect(await snooze(note, 30)).toEqual({ noteId: "reminder", sendAt: clock.now() + 1 });
  expect(accepted).toEqual([
    {
      userId: "teacher-1",
      submission: {
        idempotencyKey: undefined,
        leniency: "lenient",
        request: {
          user_id: "teacher-1",
          template_id: "iep_parent_consent",
          notification_type: note.notificationType,
          channels: ["websocket", "push"],
          priority: note.priority,
          strategy: note.strategy,
          data: FRAME.data,
          locale: "vi",
          correlation_id: "c-1",
          batch_id: "b-1",
          class_id: "k-1",
          student_id: "s-1",
          event_id: "snooze:n",
          send_at: new Date(clock.now() + 30 * MINUTE_MS).toISOString(),
        },
        // As old as the first one, so that what was answered since stays answered.
        event: {
          category: "iep",
          occurredAtMs: Date.parse(FRAME.timestamp),
          deadlineMs: Date.parse(FRAME.deadline),
        },
      },
    },
  ]);
});

it("keeps to the channels that were asked for, and to their end", async () => {
  const { note, snooze, accepted } = scene();
  const expiresAt = clock.now() + 31 * MINUTE_MS;
  const push = { ...note.channels.push, reason: "not_requested" } as const;
  await snooze({ ...note, expiresAt, channels: { ...note.channels, push } }, 30);
  expect(accepted[0]?.submission.request).toMatchObject({
    channels: ["websocket"],
    expires_at: new Date(expiresAt).toISOString(),
  });
});

it("is answered as before when it has been put off already, whatever else has changed", async () => {
  const { note, snooze, accepted } = scene({ known: "before" });
  const gone = { ...note, replayId: null, expiresAt: clock.now() };
  expect(await snooze(gone, 30)).toMatchObject({ noteId: "before" });
  expect(accepted).toEqual([]);
});

it("is made where whoever was asked before died over it", async () => {
  const { note, snooze, accepted } = scene({ known: "reminder", unwritten: true });
  expect(await snooze(note, 30)).toEqual({
    noteId: "reminder",
    sendAt: clock.now() + 30 * MINUTE_MS,
  });
  expect(accepted).toHaveLength(1);
});

const FLOODED: Acceptance = {
  kind: "accepted",
  id: "r",
  repeated: false,
  suppressed: true,
  created: undefined,
  queued: true,
};

it.each<[string, Partial<Note>, Parameters<typeof scene>[0]]>([
  ["has no place in a history", { replayId: null, epoch: null }, {}],
  ["expires before", { expiresAt: createManualClock().now() + 30 * MINUTE_MS }, {}],
  ["has left the history", {}, { frame: null }],
  ["is in a form that is not known", {}, { frame: { ...FRAME, data: "x" } }],
  [
    "is of a template that is gone",
    {},
    {
      result: { kind: "refused", problem: new Problem("unknown_template", "It is gone.") },
    },
  ],
  ["comes after too many others", {}, { result: FLOODED }],
  ["came after too many others before", {}, { known: "r", reminder: { status: "suppressed" } }],
])("is refused for good where it %s", async (_why, changes, options) => {
  const { note, snooze } = scene(options);
  await expect(snooze({ ...note, ...changes }, 30)).rejects.toMatchObject({
    code: "not_snoozable",
  });
});
