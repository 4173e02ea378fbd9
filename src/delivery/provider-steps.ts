/** The changes to a note that a provider is asked for: claim, try again, put aside. Pure. */
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note, PushOutcomes } from "../tracking/note.ts";
import { move } from "../tracking/status-machine.ts";
import { entry } from "./step-traces.ts";

/**
 * Takes a push or SMS in hand: stored before anything is sent, so that a crash leaves a trace.
 * @param provider who is asked, for the timeline, where there can be several
 */
export function claim(
  note: Note,
  channel: "push" | "sms",
  now: number,
  leaseMs: number,
  provider?: string,
): NoteChange {
  const record = note.channels[channel];
  // Notifications are counted, not tries; one that is re-driven was counted before.
  const first = !note.timeline.includes(` ${channel} pending sending `);
  return {
    note,
    decidedAt: now,
    leasedUntil: now + leaseMs,
    channels: { [channel]: move(channel, record, "sending", null, now) },
    counts: first ? { [`${channel}.sent`]: 1 } : {},
    dueAt: now + leaseMs,
    timeline: [{ ...entry(channel, record, "sending", null, now), reason: provider ?? null }],
  };
}

/** Why a try was none that its worker ended, in the timeline. */
const WORKER_LOST = "worker_lost";

/** How often workers never came back from a push or SMS, since it was last re-driven. */
export function timesLost({ timeline }: Note, channel: "push" | "sms"): number {
  const line = ` ${channel} sending pending ${WORKER_LOST}\n`;
  const since = Math.max(0, timeline.lastIndexOf(" redriven\n"));
  return timeline.slice(since).split(line).length - 1;
}

/** Puts a push or SMS back, to be tried again at `at`. */
export function tryAgain(
  note: Note,
  channel: "push" | "sms",
  failure: {
    readonly at: number;
    readonly now: number;
    readonly pushOutcomes?: PushOutcomes | undefined;
    /** Nobody knows what came of the last try. */
    readonly workerLost?: boolean | undefined;
  },
): NoteChange {
  const { at, now, pushOutcomes } = failure;
  const record = note.channels[channel];
  const line = entry(channel, record, "pending", "provider_error", now);
  return {
    note,
    decidedAt: now,
    attempt: note.attempt + 1,
    leasedUntil: 0,
    channels: { [channel]: move(channel, record, "pending", "provider_error", now) },
    counts: {},
    dueAt: at,
    timeline: [failure.workerLost === true ? { ...line, reason: WORKER_LOST } : line],
    ...(pushOutcomes === undefined ? {} : { pushOutcomes }),
  };
}

/**
 * Puts a note aside until `until`, with all its tries: its provider may not be asked, or was asked only
 * to find out whether it is back. That a note waits is written down once, however often it is looked at.
 */
export function hold(
  note: Note,
  channel: "push" | "sms",
  wait: {
    readonly until: number;
    readonly now: number;
    readonly pushOutcomes?: PushOutcomes | undefined;
  },
): NoteChange {
  const { until, now, pushOutcomes } = wait;
  const record = note.channels[channel];
  const line = entry(channel, record, "pending", "provider_error", now);
  if (record.state === "pending") {
    const isKnown = note.timeline.includes(` ${channel} pending pending `);
    const timeline = isKnown ? [] : [line];
    return { note, decidedAt: now, counts: {}, dueAt: until, timeline };
  }
  return {
    note,
    decidedAt: now,
    leasedUntil: 0,
    channels: { [channel]: move(channel, record, "pending", "provider_error", now) },
    counts: {},
    dueAt: until,
    timeline: [line],
    pushOutcomes,
  };
}

/** Why a note waits though its provider is well, in the timeline. */
const THROUGHPUT = "throughput";

/**
 * Puts an SMS aside until its turn: its provider takes no more at a time. Like quiet hours that is no
 * failure, so that its stage begins then. Written down once, however often others go first.
 */
export function waitTurn(note: Note, until: number, now: number): NoteChange {
  const held = hold(note, "sms", { until, now });
  const timeline = held.timeline.map((line) => ({ ...line, reason: THROUGHPUT }));
  // One whose time ends before its turn ends then, instead of standing open until its turn.
  const dueAt = Math.min(until, note.expiresAt ?? until);
  return { ...held, dueAt, stageStartedAt: until, timeline };
}
