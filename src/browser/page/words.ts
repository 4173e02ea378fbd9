/** The page's words for what the API names. */
import type {
  Category,
  Channel,
  ChannelStatus,
  Priority,
  Reason,
  Status,
} from "../../contract/vocabulary.ts";

export const CHANNEL_NAMES: Readonly<Record<Channel, string>> = {
  websocket: "WebSocket",
  push: "Push",
  sms: "SMS",
};

export const CHANNEL_STATUS_NAMES: Readonly<Record<ChannelStatus, string>> = {
  queued: "waiting",
  delivered: "delivered",
  failed: "failed",
  skipped: "skipped",
  expired: "too late",
};

export const STATUS_NAMES: Readonly<Record<Status, string>> = {
  scheduled: "Scheduled",
  queued: "On its way",
  delivered: "Delivered",
  stored: "Kept for later",
  failed: "Failed",
  expired: "Too late",
  cancelled: "Cancelled",
  suppressed: "Held back",
};

export const STATUS_HINTS: Readonly<Record<Status, string>> = {
  scheduled: "It is sent when its time comes.",
  queued: "One channel after another is being tried.",
  delivered: "At least one channel reached the person.",
  stored: "Nobody could be reached; it waits in the inbox for the next visit.",
  failed: "Every channel that could be tried failed.",
  expired: "Its deadline passed before anybody was reached.",
  cancelled: "Its sender took it back.",
  suppressed: "The person got too many at once; it is in the inbox only.",
};

const REASON_NAMES: Readonly<Record<Reason, string>> = {
  not_needed: "already reached",
  not_requested: "not asked for",
  not_eligible: "only if critical or about a support plan (IEP)",
  offline: "no tab open",
  unconfirmed: "no tab confirmed it",
  no_subscription: "not turned on",
  gone: "turned off since",
  no_phone: "no number known",
  invalid_phone: "number does not exist",
  opted_out: "opted out",
  preference: "turned off by the person",
  quiet_hours: "quiet hours",
  flood: "over the limit",
  poison: "every process that tried it ended",
  disabled: "not set up here",
  rejected: "refused by the provider",
  provider_error: "provider in trouble",
  undelivered: "its carrier could not deliver it",
  unknown: "may have been sent",
};

const REASONS_BY_NAME = new Map<string, string>([
  ...Object.entries(REASON_NAMES),
  // What only steps have: by whom an SMS is sent, and why it is not yet.
  ["twilio", "by Twilio"],
  ["webhook", "by the gateway"],
  ["outbox", "to this page"],
  ["throughput", "waits for its turn"],
  ["worker_lost", "the process that had it ended"],
]);

/** A reason that this page does not know is shown as the API names it; so is what stands behind a colon. */
export function reasonName(reason: string): string {
  const [name = "", ...details] = reason.split(":");
  const words = [REASONS_BY_NAME.get(name) ?? name, ...details];
  return words.join(": ").replaceAll("_", " ");
}

export const PRIORITY_NAMES: Readonly<Record<Priority, string>> = {
  critical: "Critical",
  immediate: "Immediate",
  high: "High",
  standard: "Standard",
  low: "Low",
};

export const CATEGORY_NAMES: Readonly<Record<Category, string>> = {
  batch_progress: "Progress",
  processing_results: "Results",
  file_operations: "Files",
  class_management: "Classes",
  student_workflow: "Students",
  system_alerts: "Notices",
  iep: "Support plans",
};

export const PART_NAMES: ReadonlyMap<string, string> = new Map([
  ["redis", "Storage (Redis)"],
  ["queue", "Queue"],
  ["kafka", "Events (Kafka)"],
  ["websocket", "WebSocket"],
  ["push", "Push"],
  ["sms", "SMS"],
  ["templates", "Templates"],
]);

export const HEALTH_STATE_NAMES: ReadonlyMap<string, string> = new Map([
  ["healthy", "healthy"],
  ["degraded", "working with trouble"],
  ["unhealthy", "not working"],
  ["disabled", "not set up here"],
]);
