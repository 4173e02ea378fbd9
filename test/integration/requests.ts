/** Bodies of `POST /notify` that several suites send. */
import { randomBytes } from "node:crypto";

/** A user nobody else in the run has. */
export function someone(name = "user"): string {
  return `${name}-${randomBytes(4).toString("hex")}`;
}

/** A documented example: its dates have passed, and it must work all the same. */
export const MEETING_REMINDER = {
  user_id: "123e4567-e89b-12d3-a456-426614174000",
  template_id: "iep_meeting_reminder",
  notification_type: "iep_reminder",
  channels: ["websocket", "push", "sms"],
  priority: "high",
  data: {
    student_name: "Sarah Johnson",
    meeting_date: "2025-09-15T14:00:00Z",
    location: "Conference Room A",
    attendees: ["Teacher", "Parent", "Counselor"],
    iep_id: "iep_12345",
  },
  locale: "en-US",
  phone_number: "+1234567890",
} as const;

/** The other documented example: without a phone number, and not for SMS. */
export const DEADLINE_WARNING = {
  user_id: "123e4567-e89b-12d3-a456-426614174000",
  template_id: "iep_deadline_warning",
  notification_type: "deadline_warning",
  channels: ["websocket", "push"],
  priority: "critical",
  data: {
    student_name: "Michael Chen",
    deadline_date: "2025-09-20T23:59:59Z",
    days_remaining: 5,
    action_required: "Submit IEP review documents",
    iep_id: "iep_67890",
  },
  locale: "en-US",
} as const;

export function meetingFor(userId: string, phoneNumber?: string) {
  const { phone_number: _omitted, ...rest } = MEETING_REMINDER;
  return {
    ...rest,
    user_id: userId,
    ...(phoneNumber === undefined ? {} : { phone_number: phoneNumber }),
  };
}

export function matchingFor(userId: string, phoneNumber: string) {
  return {
    user_id: userId,
    template_id: "student_matching_confirmation_required",
    data: { batch_id: "batch-456", class_id: "class-7", unmatched_count: 3 },
    phone_number: phoneNumber,
  };
}

export function classCreatedFor(userId: string, phoneNumber?: string) {
  return {
    user_id: userId,
    template_id: "class_created",
    data: { class_id: "class-7", class_name: "7B" },
    ...(phoneNumber === undefined ? {} : { phone_number: phoneNumber }),
  };
}

export function announcementFor(userId: string, title = "Snow day") {
  return {
    user_id: userId,
    template_id: "announcement",
    data: { title, body: "School stays closed today." },
  };
}
