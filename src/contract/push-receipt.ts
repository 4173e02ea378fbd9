/** What a push message, the service worker that shows it and the route of receipts agree on. */

/** What happened to a notification in a browser: shown, opened, marked as read, put off. */
export const RECEIPT_EVENTS = ["shown", "clicked", "read", "snoozed"] as const;
export type ReceiptEvent = (typeof RECEIPT_EVENTS)[number];

/** Actions that every notification may have. No template's can be called so: theirs have no hyphen. */
export const MARK_READ = "mark-read";
export const REMIND_LATER = "remind-later";

/** What `REMIND_LATER` promises in words. */
export const SNOOZE_MINUTES = 60;
