/** The ledger's record of one notification; note-record.ts is how Redis keeps it. */
import { z } from "zod";
import {
  CATEGORIES,
  CHANNELS,
  CHANNEL_STATES,
  REASONS,
  type Channel,
  type ChannelState,
  type Family,
  type Lane,
  type Priority,
  type Reason,
  type Status,
  type Strategy,
} from "../contract/vocabulary.ts";

/** Where one channel stands, and since when (epoch ms). */
export interface ChannelRecord {
  readonly state: ChannelState;
  readonly reason: Reason | null;
  readonly at: number;
  readonly confirmedAt: number | null;
}

/** What is needed to render and address the notification: encrypted, kept until it has settled. */
export const storedRequestSchema = z.object({
  data: z.record(z.string(), z.unknown()),
  locale: z.string().optional(),
  timezone: z.string().optional(),
  phone_number: z.string().optional(),
  correlation_id: z.string(),
  batch_id: z.string().optional(),
  class_id: z.string().optional(),
  student_id: z.string().optional(),
  /** Epoch ms. */
  deadline: z.number().optional(),
  /** What an event says in place of the template's. */
  category: z.enum(CATEGORIES).optional(),
  /** W3C trace context of the event, for log lines. */
  traceparent: z.string().optional(),
});
export type StoredRequest = z.infer<typeof storedRequestSchema>;

/** What became of each push subscription, so that a retry touches only the open ones. */
export const pushOutcomesSchema = z.record(
  z.string(),
  z.enum(["delivered", "gone", "rejected", "retry"]),
);
export type PushOutcomes = z.infer<typeof pushOutcomesSchema>;

export interface Note {
  readonly id: string;
  /** What never changes, as Redis keeps it. */
  readonly facts: string;
  /** Where in Redis' text what changes begins, in bytes. */
  readonly stateAt: number;
  readonly userId: string;
  readonly status: Status;
  readonly stage: Channel | null;
  readonly lane: Lane;
  /** Tries of the present stage so far. */
  readonly attempt: number;
  /**
   * Raised by whatever is written, to the time of it, or by one where that is no more: it tells whether
   * the note is still what was read. 0 as long as nothing was.
   */
  readonly version: number;
  /** Raised likewise, by every change; a change decided on an older note is refused. */
  readonly fence: number;
  readonly acceptedAt: number;
  /** UTC day of acceptance, `2026-11-21`: where it is counted. */
  readonly day: string;
  readonly priority: Priority;
  readonly templateId: string;
  readonly notificationType: string;
  readonly family: Family;
  readonly strategy: Strategy;
  readonly callerId: string;
  /** The caller's own, or else the event's, or else the note's id. */
  readonly correlationId: string;
  /** Of the event that asked for it; null if none did. */
  readonly eventId: string | null;
  readonly channels: Readonly<Record<Channel, ChannelRecord>>;
  /** Lines of `at channel from to reason`. */
  readonly timeline: string;
  readonly replayId: string | null;
  readonly epoch: string | null;
  /** Sockets that the frame was written to. */
  readonly sockets: number;
  /** A step in flight is left alone until then. */
  readonly leasedUntil: number;
  readonly stageStartedAt: number;
  readonly expiresAt: number | null;
  readonly sendAt: number | null;
  /** When it was accepted, somebody waited for what becomes of it. */
  readonly waited: boolean;
  /** The process in which somebody waits for it to settle. */
  readonly replyTo: string | null;
  readonly pushOutcomes: PushOutcomes;
  /** Null once settled (nothing personal is kept longer than needed), or if it cannot be read. */
  readonly request: StoredRequest | null;
}

const NONE = "-";

/** `state,reason,at,confirmed_at`: one word, readable in `redis-cli`. */
export function formatChannelRecord(record: ChannelRecord): string {
  return `${record.state},${record.reason ?? NONE},${record.at},${record.confirmedAt ?? NONE}`;
}

export function parseChannelRecord(text: string): ChannelRecord {
  const [state, reason, at, confirmedAt] = text.split(",");
  const knownState = CHANNEL_STATES.find((name) => name === state);
  if (knownState === undefined) throw new Error("a channel record in the ledger is malformed");
  return {
    state: knownState,
    reason: REASONS.find((name) => name === reason) ?? null,
    at: Number(at),
    confirmedAt: confirmedAt === undefined || confirmedAt === NONE ? null : Number(confirmedAt),
  };
}

export interface TimelineEntry {
  readonly at: number;
  readonly channel: Channel | null;
  readonly from: string;
  readonly to: string;
  readonly reason: string | null;
}

export function formatTimelineEntry(entry: TimelineEntry): string {
  return `${entry.at} ${entry.channel ?? NONE} ${entry.from} ${entry.to} ${entry.reason ?? NONE}\n`;
}

export function parseTimeline(text: string): TimelineEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [at, channel, from = "", to = "", reason = NONE] = line.split(" ");
      return {
        at: Number(at),
        channel: CHANNELS.find((name) => name === channel) ?? null,
        from,
        to,
        reason: reason === NONE ? null : reason,
      };
    });
}
