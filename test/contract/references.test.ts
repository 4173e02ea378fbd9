/** Ids that others choose, and what they leave out: the same on every way in. */
import { describe, expect, it } from "vitest";
import { notificationRequestSchema } from "../../src/contract/notification-request.ts";
import {
  eventEnvelopeSchema,
  teacherNotificationSchema,
} from "../../src/contract/teacher-notification.ts";

const HALF_A_CHARACTER = "story-\ud83d";

const request = { user_id: "teacher-1", template_id: "announcement" };
const envelope = { event_type: "huleedu.notification.teacher.requested.v1", data: {} };
const notification = {
  teacher_id: "teacher-1",
  notification_type: "batch_processing_completed",
  category: "batch_progress",
  priority: "standard",
  payload: {},
};

describe("an id that holds half of a character", () => {
  it.each([
    [
      "the event id of a request",
      notificationRequestSchema,
      { ...request, event_id: HALF_A_CHARACTER },
    ],
    [
      "its correlation id",
      notificationRequestSchema,
      { ...request, correlation_id: HALF_A_CHARACTER },
    ],
    [
      "the event id of an envelope",
      eventEnvelopeSchema,
      { ...envelope, event_id: HALF_A_CHARACTER },
    ],
    [
      "the correlation id of a teacher event",
      teacherNotificationSchema,
      { ...notification, correlation_id: HALF_A_CHARACTER },
    ],
  ])("is refused with its place, as %s", (_what, schema, value) => {
    const issues = schema
      .safeParse(value)
      .error?.issues.map(({ path, message }) => [path, message]);
    expect(issues).toEqual([[[expect.stringMatching(/_id$/)], "must be well-formed Unicode"]]);
  });
});

it("takes null for a word that a service does not give on whether something must be done", () => {
  const parse = (action_required: unknown) =>
    teacherNotificationSchema.parse({ ...notification, action_required }).action_required;
  expect([null, undefined, false, true].map(parse)).toEqual([false, false, false, true]);
});
