/**
 * The one table of what may become what. Everything that moves a channel goes through it; the
 * documentation draws it and property tests hold the product to it.
 */
import type {
  Channel,
  ChannelState,
  ChannelStatus,
  Reason,
  Status,
} from "../contract/vocabulary.ts";
import type { ChannelRecord } from "./note.ts";

export interface Transition {
  readonly from: ChannelState;
  readonly to: ChannelState;
  readonly by: "route" | "worker" | "gateway" | "provider" | "recipient" | "operator";
  readonly why: string;
}

export const TRANSITIONS: readonly Transition[] = [
  { from: "pending", to: "skipped", by: "route", why: "the channel is not needed or not possible" },
  { from: "pending", to: "expired", by: "route", why: "the time for it has passed" },
  { from: "pending", to: "sending", by: "worker", why: "a push or SMS is about to be sent" },
  { from: "pending", to: "sent", by: "worker", why: "the frame is on its way to a gateway" },
  {
    from: "pending",
    to: "failed",
    by: "worker",
    why: "it cannot be put into words, its provider stays away, or no worker survives it",
  },
  { from: "pending", to: "delivered", by: "recipient", why: "a replay reached the person first" },
  {
    from: "sending",
    to: "sending",
    by: "worker",
    why: "another try, a lease that ran out, or an SMS that is yet to be found out about",
  },
  {
    from: "sending",
    to: "pending",
    by: "provider",
    why: "tried again later: surely not taken, or a push whose worker died",
  },
  { from: "sending", to: "delivered", by: "provider", why: "the provider accepted it" },
  { from: "sending", to: "failed", by: "provider", why: "refused, or out of tries" },
  { from: "sending", to: "skipped", by: "provider", why: "the person does not want it there" },
  { from: "sending", to: "unknown", by: "provider", why: "it may have been sent" },
  { from: "sending", to: "expired", by: "route", why: "the time for it has passed" },
  { from: "sent", to: "sent", by: "gateway", why: "written; the client's ack is awaited" },
  { from: "sent", to: "delivered", by: "gateway", why: "written to an open socket" },
  { from: "sent", to: "skipped", by: "gateway", why: "no socket took it, or no gateway answered" },
  { from: "sent", to: "failed", by: "gateway", why: "written, but not acknowledged in time" },
  { from: "delivered", to: "confirmed", by: "recipient", why: "the recipient's side said so" },
  { from: "failed", to: "delivered", by: "recipient", why: "late: a replay, ack or receipt" },
  { from: "skipped", to: "delivered", by: "recipient", why: "late: a replay, ack or receipt" },
  { from: "unknown", to: "delivered", by: "recipient", why: "late: it had been sent after all" },
  { from: "unknown", to: "failed", by: "provider", why: "its carrier says that it did not arrive" },
  {
    from: "delivered",
    to: "failed",
    by: "provider",
    why: "an SMS that was taken, and that its carrier could not deliver",
  },
  {
    from: "skipped",
    to: "pending",
    by: "provider",
    why: "it was not needed, as an SMS had been taken that did not arrive",
  },
  { from: "failed", to: "pending", by: "operator", why: "re-driven" },
  {
    from: "pending",
    to: "unknown",
    by: "operator",
    why: "Redis was restored; it may have been sent",
  },
  {
    from: "unknown",
    to: "pending",
    by: "operator",
    why: "re-driven, though it may have been sent",
  },
];

const ALLOWED: ReadonlyMap<ChannelState, readonly ChannelState[]> = new Map(
  [...Map.groupBy(TRANSITIONS, ({ from }) => from)].map(([from, steps]) => [
    from,
    steps.map(({ to }) => to),
  ]),
);

/** True if the table has this step. */
export function canMove(from: ChannelState, to: ChannelState): boolean {
  return ALLOWED.get(from)?.includes(to) === true;
}

/**
 * The channel's next record.
 * @throws Error for a step that the table does not have: that is a bug, not a result.
 */
export function move(
  channel: Channel,
  record: ChannelRecord,
  to: ChannelState,
  reason: Reason | null,
  now: number,
): ChannelRecord {
  if (!canMove(record.state, to)) {
    throw new Error(`${channel} cannot go from ${record.state} to ${to}`);
  }
  return { state: to, reason, at: now, confirmedAt: null };
}

/** Nothing more will be tried on a channel in this state. */
export function isClosed(state: ChannelState): boolean {
  switch (state) {
    case "pending":
    case "sending":
    case "sent":
      return false;
    case "delivered":
    case "confirmed":
    case "failed":
    case "skipped":
    case "unknown":
    case "expired":
      return true;
  }
}

export function hasReached(record: ChannelRecord): boolean {
  return record.state === "delivered" || record.state === "confirmed";
}

/** True once a notification needs no more work. */
export function isSettled(status: Status): boolean {
  switch (status) {
    case "scheduled":
    case "queued":
      return false;
    case "delivered":
    case "stored":
    case "failed":
    case "expired":
    case "cancelled":
    case "suppressed":
      return true;
  }
}

/** What the whole is, once all its channels are closed. */
export function settledStatus(channels: Readonly<Record<Channel, ChannelRecord>>): Status {
  const records = Object.values(channels);
  if (records.some(hasReached)) return "delivered";
  if (records.some((record) => record.state === "expired")) return "expired";
  if (records.some((record) => record.state === "failed" || record.state === "unknown")) {
    return "failed";
  }
  return "stored";
}

/** The word for a channel in answers to callers. */
export function channelStatus(record: ChannelRecord): ChannelStatus {
  switch (record.state) {
    case "pending":
    case "sending":
    case "sent":
      return "queued";
    case "delivered":
    case "confirmed":
      return "delivered";
    case "failed":
    case "unknown":
      return "failed";
    case "skipped":
      return "skipped";
    case "expired":
      return "expired";
  }
}
