/** What a failed note becomes when an operator has it sent again: a decision, or why not. Pure. */
import { CHANNELS, type Channel } from "../contract/vocabulary.ts";
import { auditFields } from "./ledger-changes.ts";
import { formatChannelRecord, formatTimelineEntry, type Note } from "./note.ts";
import { move } from "./status-machine.ts";

export interface RedriveOrder {
  /** Who wants it: a user id, or a program's name. */
  readonly by: string;
  /**
   * Which of the channels that did not reach anybody; left out: those that surely failed. One that
   * may have been sent (`unknown`) is sent again only if it is named.
   */
  readonly channels?: readonly Channel[] | undefined;
}

export type RedrivePlan =
  | { readonly kind: "possible"; readonly channels: readonly Channel[] }
  /** A sentence for the operator. */
  | { readonly kind: "refused"; readonly detail: string };

const refused = (detail: string): RedrivePlan => ({ kind: "refused", detail });

export function planRedrive(
  note: Note,
  asked: readonly Channel[] | undefined,
  now: number,
): RedrivePlan {
  if (note.status !== "failed") return refused(`It is ${note.status}, not failed.`);
  if (note.expiresAt !== null && note.expiresAt <= now) {
    return refused(`It expired at ${new Date(note.expiresAt).toISOString()}.`);
  }
  if (note.request === null) return refused("What it said is no longer kept, or cannot be read.");
  const stateOf = (name: Channel) => note.channels[name].state;
  const wrong = asked?.find((name) => stateOf(name) !== "failed" && stateOf(name) !== "unknown");
  if (wrong !== undefined) {
    const { state, reason } = note.channels[wrong];
    return refused(`${wrong} did not fail: ${state}${reason === null ? "" : ` (${reason})`}.`);
  }
  const channels = CHANNELS.filter((name) =>
    asked === undefined ? stateOf(name) === "failed" : asked.includes(name),
  );
  if (channels.length > 0) return { kind: "possible", channels };
  const unsure = CHANNELS.filter((name) => stateOf(name) === "unknown").join(", ");
  return refused(`It may have been sent by ${unsure}: name the channel to send it once more.`);
}

/**
 * The form `redrive.lua` reads. What is tried again begins afresh: no tries, no subscription that is
 * left out for what it answered, and a full time budget.
 */
export function wireRedrive(
  note: Note,
  channels: readonly Channel[],
  by: string,
  now: number,
): unknown {
  const set: (string | number)[] = ["status", "queued", "stage", channels[0] ?? "-"];
  set.push("attempt", 0, "leased_until", 0, "stage_started_at", now);
  if (channels.includes("push")) set.push("push_outcomes", "{}");
  // A timeline is read by its spaces.
  const who = by.replaceAll(/\s+/g, "_");
  const at = { at: now, to: "pending", reason: "redriven" };
  const lines = [
    { at: now, channel: null, from: note.status, to: "queued", reason: `redriven:${who}` },
  ].map(formatTimelineEntry);
  for (const channel of channels) {
    const record = note.channels[channel];
    set.push(channel, formatChannelRecord(move(channel, record, "pending", null, now)));
    lines.push(formatTimelineEntry({ ...at, channel, from: record.state }));
  }
  return {
    id: note.id,
    fence: note.fence,
    set,
    lines: lines.join(""),
    counts: channels.flatMap((channel) => [`${channel}.failed`, -1]),
    audit: [...auditFields({ ...note, callerId: by }), "channels", channels.join(" ")],
  };
}
