/** What a failed note becomes when an operator has it sent again: a decision, or why not. Pure. */
import { CHANNELS, type Channel } from "../contract/vocabulary.ts";
import type { NoteChange } from "./ledger-changes.ts";
import type { Note } from "./note.ts";
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
 * The change that sends a failed note again. What is tried again begins afresh: no tries, no
 * subscription that is left out for what it answered, and a full time budget.
 */
export function redriven(
  note: Note,
  channels: readonly Channel[],
  by: string,
  now: number,
): NoteChange {
  // A timeline is read by its spaces.
  const who = by.replaceAll(/\s+/g, "_");
  const [stage] = channels;
  return {
    note,
    decidedAt: now,
    status: "queued",
    attempt: 0,
    leasedUntil: 0,
    stageStartedAt: now,
    dueAt: now,
    ...(stage === undefined ? {} : { stage }),
    ...(channels.includes("push") ? { pushOutcomes: {} } : {}),
    channels: Object.fromEntries(
      channels.map((name) => [name, move(name, note.channels[name], "pending", null, now)]),
    ),
    // It no longer counts as failed; it will, as what it becomes.
    counts: {
      "status.failed": -1,
      ...Object.fromEntries(channels.map((name) => [`${name}.failed`, -1])),
    },
    timeline: [
      { at: now, channel: null, from: note.status, to: "queued", reason: `redriven:${who}` },
      ...channels.map((channel) => {
        const from = note.channels[channel].state;
        return { at: now, channel, from, to: "pending", reason: "redriven" };
      }),
    ],
  };
}
