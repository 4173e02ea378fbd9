/** What a note becomes when the carrier of its SMS says that it did not arrive: a decision. Pure. */
import { CHANNELS, type Channel, type Reason } from "../contract/vocabulary.ts";
import { bucketOf } from "./latency-buckets.ts";
import type { NoteChange } from "./ledger-changes.ts";
import { parseTimeline, type ChannelRecord, type Note, type TimelineEntry } from "./note.ts";
import { hasReached, move, settledStatus } from "./status-machine.ts";

export interface SmsFailure {
  readonly reason: Reason;
  /** The provider's code and words, for the timeline: without blanks. */
  readonly detail: string;
}

export interface Reopening {
  readonly failure: SmsFailure;
  readonly now: number;
  /** What it said is still kept. */
  readonly canBeSent: boolean;
}

type Records = Readonly<Record<Channel, ChannelRecord>>;

/**
 * The change to a note that had settled. It goes on with the channels that were not needed while the
 * SMS counted as delivered; where there is none, it has failed, unless another channel had reached the
 * person as well.
 */
export function reopened(note: Note, { failure, now, canBeSent }: Reopening): NoteChange {
  const { sms: before } = note.channels;
  const sms = move("sms", before, "failed", failure.reason, now);
  const records = { ...note.channels, sms };
  const line = smsLine(before, failure, now);
  const isOver = note.expiresAt !== null && note.expiresAt <= now;
  const untried = canBeSent && !isOver ? untriedOf(records) : [];
  const [stage] = untried;
  if (stage !== undefined) return goOn(note, { sms, line, untried, stage, now });
  const status = settledStatus(records);
  const counts = { ...smsCounts(before), [`status.${note.status}`]: -1 };
  const end = { at: now, channel: null, from: note.status, to: status, reason: null };
  return {
    note,
    decidedAt: now,
    status,
    channels: { sms },
    counts: status === "delivered" ? counts : { ...counts, ...latencyTakenBack(note) },
    timeline: status === note.status ? [line] : [line, end],
  };
}

/** What the counters of the SMS change by when it has failed after all. */
export function smsCounts({ state }: ChannelRecord): Record<string, number> {
  // One that was unknown counted as failed.
  return state === "delivered" ? { "sms.delivered": -1, "sms.failed": 1 } : {};
}

export function smsLine(before: ChannelRecord, failure: SmsFailure, at: number): TimelineEntry {
  return { at, channel: "sms", from: before.state, to: "failed", reason: failure.detail };
}

function untriedOf(records: Records): Channel[] {
  if (Object.values(records).some(hasReached)) return [];
  return CHANNELS.filter((name) => {
    const { state, reason } = records[name];
    return state === "skipped" && reason === "not_needed";
  });
}

interface GoingOn {
  readonly sms: ChannelRecord;
  readonly line: TimelineEntry;
  readonly untried: readonly Channel[];
  readonly stage: Channel;
  readonly now: number;
}

function goOn(note: Note, { sms, line, untried, stage, now }: GoingOn): NoteChange {
  return {
    note,
    decidedAt: now,
    status: "queued",
    stage,
    attempt: 0,
    leasedUntil: 0,
    stageStartedAt: now,
    dueAt: now,
    channels: {
      sms,
      ...Object.fromEntries(
        untried.map((name) => [name, move(name, note.channels[name], "pending", null, now)]),
      ),
    },
    counts: {
      ...smsCounts(note.channels.sms),
      [`status.${note.status}`]: -1,
      ...latencyTakenBack(note),
    },
    timeline: [
      line,
      { at: now, channel: null, from: note.status, to: "queued", reason: "reopened" },
      ...untried.map((channel) => {
        return { at: now, channel, from: "skipped", to: "pending", reason: "reopened" };
      }),
    ],
  };
}

/** It took so long to be delivered, as was counted, and was not. */
function latencyTakenBack({ acceptedAt, sendAt, timeline }: Note): Record<string, number> {
  const last = parseTimeline(timeline).findLast(({ channel }) => channel === null);
  if (last?.from !== "queued" || last.to !== "delivered") return {};
  const latencyMs = Math.max(0, last.at - Math.max(acceptedAt, sendAt ?? 0));
  return { [bucketOf(latencyMs)]: -1, "latency.count": -1, "latency.sum": -latencyMs };
}
