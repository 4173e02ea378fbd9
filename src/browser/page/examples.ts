/** Ready-made notifications, one for each thing worth seeing. Nobody in them exists. */
import type { Channel, Priority } from "../../contract/vocabulary.ts";

export interface Example {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly templateId: string;
  /** The template's own, shown before anything is sent. */
  readonly priority: Priority;
  readonly channels: readonly Channel[];
  /** Data of the template; times are given relative to `now` (epoch milliseconds). */
  readonly data: (now: number) => Record<string, unknown>;
  /** Sent to this person instead of oneself. */
  readonly recipient?: string;
  /** From the range that Swedish operators keep for fiction. */
  readonly phoneNumber?: string;
}

/** When people meet and offices close, wherever the browser is. */
const AFTERNOON_HOUR = 14;

/** That many days after `now`, in the afternoon of the browser's time zone; as RFC 3339 in UTC. */
function afternoonIn(days: number, now: number): string {
  const date = new Date(now);
  date.setDate(date.getDate() + days);
  date.setHours(AFTERNOON_HOUR, 0, 0, 0);
  return date.toISOString().replace(".000", "");
}

const deadlineData = (now: number): Record<string, unknown> => ({
  student_name: "Alex Example",
  deadline_date: afternoonIn(3, now),
  days_remaining: 3,
  action_required: "Sign the revised support plan",
  iep_id: "iep-2041",
});

export const EXAMPLES: readonly Example[] = [
  {
    id: "meeting",
    title: "Meeting reminder",
    hint: "A support-plan meeting the day after tomorrow",
    templateId: "iep_meeting_reminder",
    priority: "high",
    channels: ["websocket", "push", "sms"],
    data: (now) => ({
      student_name: "Alex Example",
      meeting_date: afternoonIn(2, now),
      location: "Room 12",
      attendees: ["Kim Example", "Robin Example"],
      iep_id: "iep-2041",
    }),
  },
  {
    id: "deadline",
    title: "Deadline warning",
    hint: "Goes on to push and SMS if no tab confirms it",
    templateId: "iep_deadline_warning",
    priority: "critical",
    channels: ["websocket", "push", "sms"],
    data: deadlineData,
  },
  {
    id: "announcement",
    title: "Announcement",
    hint: "Your own words to one person",
    templateId: "announcement",
    priority: "standard",
    channels: ["websocket", "push"],
    data: () => ({
      title: "The library closes early on Friday",
      body: "Books due on Friday may come back on Monday instead.",
    }),
  },
  {
    id: "class",
    title: "Class created",
    hint: "Routine news, never a text message",
    templateId: "class_created",
    priority: "standard",
    channels: ["websocket", "push"],
    data: () => ({ class_id: "class-7b", class_name: "Biology 7B" }),
  },
  {
    id: "matching",
    title: "Student matching",
    hint: "A teacher has to confirm who wrote what",
    templateId: "student_matching_confirmation_required",
    priority: "critical",
    channels: ["websocket", "push", "sms"],
    data: (now) => ({
      batch_id: "batch-311",
      class_id: "class-7b",
      unmatched_count: 4,
      deadline_timestamp: afternoonIn(1, now),
    }),
  },
  {
    id: "offline",
    title: "Nobody is online",
    hint: "The warning again, to a closed laptop: it ends as a text message",
    templateId: "iep_deadline_warning",
    priority: "critical",
    channels: ["websocket", "push", "sms"],
    data: deadlineData,
    recipient: "parent-offline",
    phoneNumber: "+46701740605",
  },
];
