/** The words every room shares: closed unions, so that a switch over them is exhaustive. */

export const CHANNELS = ["websocket", "push", "sms"] as const;
export type Channel = (typeof CHANNELS)[number];

/** From most to least pressing; the order is used to compare. */
export const PRIORITIES = ["critical", "immediate", "high", "standard", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

export const LANES = ["urgent", "normal", "bulk"] as const;
export type Lane = (typeof LANES)[number];

export const FAMILIES = ["teacher", "domain", "iep", "general"] as const;
export type Family = (typeof FAMILIES)[number];

export const CATEGORIES = [
  "batch_progress",
  "processing_results",
  "file_operations",
  "class_management",
  "student_workflow",
  "system_alerts",
  "iep",
] as const;
export type Category = (typeof CATEGORIES)[number];

export const STRATEGIES = ["fallback", "all"] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What a notification as a whole is, on the wire and in the ledger. */
export const STATUSES = [
  "scheduled",
  "queued",
  "delivered",
  "stored",
  "failed",
  "expired",
  "cancelled",
  "suppressed",
] as const;
export type Status = (typeof STATUSES)[number];

/** Where one channel of one notification stands, in the ledger. */
export const CHANNEL_STATES = [
  "pending",
  "sending",
  "sent",
  "delivered",
  "confirmed",
  "failed",
  "skipped",
  "unknown",
  "expired",
] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/** The same on the wire, where the steps in between are one word. */
export const CHANNEL_STATUSES = ["queued", "delivered", "failed", "skipped", "expired"] as const;
export type ChannelStatus = (typeof CHANNEL_STATUSES)[number];

/** Why a channel failed or was skipped. */
export const REASONS = [
  "not_needed",
  "not_requested",
  "not_eligible",
  "offline",
  "unconfirmed",
  "no_subscription",
  "gone",
  "no_phone",
  "invalid_phone",
  "opted_out",
  "preference",
  "quiet_hours",
  "flood",
  "disabled",
  "rejected",
  "provider_error",
  "poison",
  "undelivered",
  "unknown",
] as const;
export type Reason = (typeof REASONS)[number];

export const LOCALES = ["en", "es", "sv", "fr", "ar", "zh", "vi"] as const;
export type Locale = (typeof LOCALES)[number];

/** Users whose messages are urgent travel in a queue of their own. */
export function laneOf(priority: Priority): Lane {
  switch (priority) {
    case "critical":
    case "immediate":
      return "urgent";
    case "high":
    case "standard":
      return "normal";
    case "low":
      return "bulk";
  }
}
