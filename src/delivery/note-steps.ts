/** The changes a decision makes to a note: close a channel, wait, settle, and mark as sent. Pure. */
import { CHANNELS, type Channel, type ChannelState, type Reason } from "../contract/vocabulary.ts";
import { bucketOf } from "../tracking/latency-buckets.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { ChannelRecord, Note, PushOutcomes, TimelineEntry } from "../tracking/note.ts";
import { hasReached, isClosed, move, settledStatus } from "../tracking/status-machine.ts";
import { entry, outcomeCounts } from "./step-traces.ts";

type Records = Readonly<Record<Channel, ChannelRecord>>;

interface Closing {
  readonly channel: Channel;
  readonly to: ChannelState;
  readonly reason: Reason | null;
  readonly now: number;
  /** When the due index brings the next stage up, should its envelope be lost; epoch ms. */
  readonly handOverAt: number;
  readonly sockets?: number | undefined;
  readonly pushOutcomes?: PushOutcomes | undefined;
  /** Of a delivery: when the recipient's side said so; epoch ms. Absent: it did not yet. */
  readonly confirmedAt?: number | undefined;
}

/** The next channel to try, or undefined if the chain is at its end. */
function nextChannel(note: Note, records: Records): Channel | undefined {
  if (note.strategy === "fallback" && CHANNELS.some((name) => hasReached(records[name]))) {
    return undefined;
  }
  return CHANNELS.find((name) => records[name].state === "pending");
}

/** How long the person waited, as counters; a scheduled one waits from the time it was due. */
function latencyOf(note: Note, now: number): NonNullable<NoteChange["latency"]> {
  const latencyMs = Math.max(0, now - Math.max(note.acceptedAt, note.sendAt ?? 0));
  return { counts: { [bucketOf(latencyMs)]: 1, "latency.count": 1 }, sumMs: latencyMs };
}

/** Closes one channel; the note goes on to the next one or settles. */
export function closeChannel(note: Note, closing: Closing): NoteChange {
  const { channel, to, reason, now, confirmedAt, sockets, pushOutcomes } = closing;
  const closed = move(channel, note.channels[channel], to, reason, now);
  const timeline = [entry(channel, note.channels[channel], to, reason, now)];
  const counts = outcomeCounts(channel, to, reason);
  if (confirmedAt !== undefined) {
    timeline.push(entry(channel, closed, "confirmed", null, confirmedAt));
    counts[`${channel}.confirmed`] = 1;
  }
  const record =
    confirmedAt === undefined
      ? closed
      : { ...move(channel, closed, "confirmed", null, now), confirmedAt };
  const records = { ...note.channels, [channel]: record };
  const next = nextChannel(note, records);
  if (next !== undefined) {
    return {
      ...handOver(next, now, closing.handOverAt),
      note,
      decidedAt: now,
      channels: { [channel]: records[channel] },
      counts,
      timeline,
      sockets,
      pushOutcomes,
    };
  }
  return settle(note, records, { now, timeline, counts, sockets, pushOutcomes });
}

/** What is known when a note settles, besides its channels. */
interface Ending extends Pick<NoteChange, "timeline" | "counts" | "sockets" | "pushOutcomes"> {
  readonly now: number;
}

/** Ends a note with these records of its channels; what is still open was not needed. */
export function settle(note: Note, records: Records, ending: Ending): NoteChange {
  const { now } = ending;
  const closed: Record<Channel, ChannelRecord> = { ...records };
  const lines = [...ending.timeline];
  for (const name of CHANNELS) {
    if (closed[name].state !== "pending") continue;
    lines.push(entry(name, closed[name], "skipped", "not_needed", now));
    closed[name] = move(name, closed[name], "skipped", "not_needed", now);
  }
  const status = settledStatus(closed);
  lines.push({ at: now, channel: null, from: note.status, to: status, reason: null });
  return {
    note,
    decidedAt: now,
    status,
    channels: altered(note.channels, closed),
    counts: ending.counts,
    latency: latencyOf(note, now),
    timeline: lines,
    sockets: ending.sockets,
    pushOutcomes: ending.pushOutcomes,
  };
}

/** The records that are not what they were. */
function altered(before: Records, after: Records): Partial<Record<Channel, ChannelRecord>> {
  const others: Partial<Record<Channel, ChannelRecord>> = {};
  for (const name of CHANNELS) if (after[name] !== before[name]) others[name] = after[name];
  return others;
}

/** Goes past a stage whose channel was closed from outside: to the next open one, or to the end. */
export function finish(note: Note, now: number, handOverAt: number): NoteChange {
  const next = nextChannel(note, note.channels);
  if (next === undefined) return settle(note, note.channels, { now, timeline: [], counts: {} });
  return { ...handOver(next, now, handOverAt), note, decidedAt: now, counts: {}, timeline: [] };
}

/** What a note needs to begin its next stage afresh. */
function handOver(stage: Channel, now: number, handOverAt: number) {
  return { stage, attempt: 0, leasedUntil: 0, stageStartedAt: now, dueAt: handOverAt };
}

/** Ends a note whose time has passed: open channels are `expired`. */
export function expire(note: Note, now: number): NoteChange {
  const records: Record<Channel, ChannelRecord> = { ...note.channels };
  const timeline: TimelineEntry[] = [];
  for (const name of CHANNELS) {
    if (records[name].state !== "pending" && records[name].state !== "sending") continue;
    timeline.push(entry(name, records[name], "expired", null, now));
    records[name] = move(name, records[name], "expired", null, now);
  }
  return settle(note, records, { now, timeline, counts: {} });
}

/**
 * Ends a note that no worker survives. Every open channel fails, so that a re-drive, once the cause is
 * mended, tries them all; but an SMS that was begun may have been sent.
 */
export function condemned(note: Note, now: number): NoteChange {
  const records: Record<Channel, ChannelRecord> = { ...note.channels };
  const timeline: TimelineEntry[] = [];
  const counts: Record<string, number> = {};
  for (const name of CHANNELS) {
    const record = records[name];
    if (isClosed(record.state)) continue;
    const begun = name === "sms" && record.state === "sending";
    const [to, reason] = begun
      ? (["unknown", "unknown"] as const)
      : (["failed", "poison"] as const);
    timeline.push(entry(name, record, to, reason, now));
    records[name] = move(name, record, to, reason, now);
    counts[`${name}.failed`] = 1;
  }
  return settle(note, records, { now, timeline, counts });
}

/** Ends a scheduled note on request: what was never begun is skipped. */
export function cancel(note: Note, now: number): NoteChange {
  return {
    note,
    decidedAt: now,
    status: "cancelled",
    channels: Object.fromEntries(
      CHANNELS.filter((name) => note.channels[name].state === "pending").map((name) => [
        name,
        move(name, note.channels[name], "skipped", "not_needed", now),
      ]),
    ),
    counts: {},
    timeline: [{ at: now, channel: null, from: note.status, to: "cancelled", reason: null }],
  };
}

/** Leaves the note as it is until `until`: quiet hours. The stage begins then. */
export function waitUntil(note: Note, until: number, now: number): NoteChange {
  return {
    note,
    decidedAt: now,
    counts: {},
    stageStartedAt: until,
    dueAt: until,
    timeline: [
      { at: now, channel: note.stage, from: "pending", to: "pending", reason: "quiet_hours" },
    ],
  };
}

/** The frame is on its way to gateways; `answerBy` is when silence is taken for an answer. */
export function markSent(note: Note, now: number, answerBy: number): NoteChange {
  const record = note.channels.websocket;
  return {
    note,
    decidedAt: now,
    leasedUntil: answerBy,
    channels: { websocket: move("websocket", record, "sent", null, now) },
    counts: {},
    dueAt: answerBy,
    // The worker that sent it looks after it. Should that die, what is pressing is looked for soon,
    // anything else when the lease it has been given runs out.
    keepsDue: note.lane !== "urgent",
    timeline: [entry("websocket", record, "sent", null, now)],
  };
}
