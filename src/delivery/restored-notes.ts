/**
 * What an operator may decide of notes that a Redis with older data takes for unsettled: what became of
 * them since is not known any more. Pure.
 */
import { CHANNELS, type Channel } from "../contract/vocabulary.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { ChannelRecord, Note, TimelineEntry } from "../tracking/note.ts";
import { move } from "../tracking/status-machine.ts";
import { closeChannel, settle } from "./note-steps.ts";
import { entry, outcomeCounts } from "./step-traces.ts";

/**
 * The SMS of a note may have been sent, and is not sent now; a socket or a browser, which knows a
 * message again, may still be told. Undefined where no SMS is open, or where one is being sent: the
 * SMS stage itself takes that for sent.
 * @param handOverAt when the next stage is to begin, epoch ms
 */
export function withholdText(note: Note, now: number, handOverAt: number): NoteChange | undefined {
  const record = note.channels.sms;
  if (record.state !== "pending") return undefined;
  if (note.stage === "sms") {
    const closing = { channel: "sms", to: "unknown", reason: "unknown" } as const;
    return closeChannel(note, { ...closing, now, handOverAt });
  }
  return {
    note,
    decidedAt: now,
    channels: { sms: move("sms", record, "unknown", "unknown", now) },
    counts: outcomeCounts("sms", "unknown", "unknown"),
    timeline: [entry("sms", record, "unknown", "unknown", now)],
    dueAt: handOverAt,
    keepsDue: true,
  };
}

/** Nothing more is sent of a note. What may be with a provider is unknown, the rest has expired. */
export function giveUp(note: Note, now: number): NoteChange {
  const records: Record<Channel, ChannelRecord> = { ...note.channels };
  const timeline: TimelineEntry[] = [];
  const counts: Record<string, number> = {};
  for (const name of CHANNELS) {
    const ending = endingOf(name, records[name]);
    if (ending === undefined) continue;
    const [to, reason] = ending;
    timeline.push(entry(name, records[name], to, reason, now));
    records[name] = move(name, records[name], to, reason, now);
    Object.assign(counts, outcomeCounts(name, to, reason));
  }
  return settle(note, records, { now, timeline, counts });
}

function endingOf(channel: Channel, { state }: ChannelRecord) {
  switch (state) {
    case "pending":
      return ["expired", null] as const;
    case "sending":
      return channel === "sms" ? (["unknown", "unknown"] as const) : (["expired", null] as const);
    case "sent":
      return ["skipped", "offline"] as const;
    case "delivered":
    case "confirmed":
    case "failed":
    case "skipped":
    case "unknown":
    case "expired":
      return undefined;
  }
}
