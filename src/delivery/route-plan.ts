/**
 * What to do with a note whose stage has come up. A pure decision: the same note, preferences and
 * time always give the same answer.
 */
import type { Channel, Reason } from "../contract/vocabulary.ts";
import { hasReached, isClosed, isSettled } from "../tracking/status-machine.ts";
import type { Note } from "../tracking/note.ts";
import type { Preferences } from "./preferences.ts";
import { quietUntil } from "./quiet-hours.ts";

export type Plan =
  /** Nothing: settled, moved on, or in another worker's hands. */
  | { readonly act: "drop" }
  | { readonly act: "send" }
  | { readonly act: "skip"; readonly reason: Reason }
  /** Quiet hours: look again then. */
  | { readonly act: "wait"; readonly until: number }
  | { readonly act: "expire" }
  /** Closed from outside in the meantime: by a receipt, or because it never was possible. */
  | { readonly act: "finish" }
  /** An SMS was begun, and nobody knows whether it was taken: it is looked for, and never sent again. */
  | { readonly act: "look" }
  /** It was begun, its worker died, and it will not be tried again: it may have been sent. */
  | { readonly act: "maybe_sent" }
  /** A frame was sent to gateways and nobody answered. */
  | { readonly act: "no_answer" };

export interface PlanContext {
  readonly stage: Channel;
  readonly attempt: number;
  readonly preferences: Preferences;
  /** Channels this installation can use at all. */
  readonly enabled: Readonly<Record<Channel, boolean>>;
  readonly now: number;
}

export function planStage(note: Note, context: PlanContext): Plan {
  const { stage, now } = context;
  if (isSettled(note.status) || note.stage !== stage || note.attempt !== context.attempt) {
    return { act: "drop" };
  }
  const record = note.channels[stage];
  if (record.state === "sending") {
    if (note.leasedUntil > now) return { act: "drop" };
    if (stage === "sms") return { act: "look" };
  }
  if (note.strategy === "fallback" && Object.values(note.channels).some(hasReached)) {
    // A push whose worker died is not tried again, and what became of it nobody knows.
    return { act: record.state === "sending" ? "maybe_sent" : "finish" };
  }
  if (record.state === "sent")
    return note.leasedUntil > now ? { act: "drop" } : { act: "no_answer" };
  // Nothing was ever open here: no channel was possible from the start.
  if (isClosed(record.state)) return { act: "finish" };
  if (note.expiresAt !== null && note.expiresAt <= now) return { act: "expire" };
  if (!context.enabled[stage]) return { act: "skip", reason: "disabled" };

  const critical = note.priority === "critical";
  const wanted = context.preferences.channels[stage];
  // A critical matter rings browsers even where they were turned off; a phone's owner has the last word.
  if (!wanted && (!critical || stage === "sms")) return { act: "skip", reason: "preference" };
  if (stage !== "websocket" && !critical) {
    const zone = context.preferences.timezone ?? note.request?.timezone ?? "UTC";
    const until = quietUntil(context.preferences.quiet_hours, zone, now);
    if (until !== undefined) {
      const tooLate = note.expiresAt !== null && note.expiresAt <= until;
      return tooLate ? { act: "skip", reason: "quiet_hours" } : { act: "wait", until };
    }
  }
  return { act: "send" };
}
