/** The ledger's record of one notification, and how it is written as a Redis hash. */
import { z } from "zod";
import {
  CATEGORIES,
  CHANNELS,
  CHANNEL_STATES,
  FAMILIES,
  LANES,
  PRIORITIES,
  REASONS,
  STATUSES,
  STRATEGIES,
  type Channel,
  type ChannelState,
  type Reason,
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
const pushOutcomesSchema = z.record(z.string(), z.enum(["delivered", "gone", "rejected", "retry"]));
export type PushOutcomes = z.infer<typeof pushOutcomesSchema>;

const count = z.coerce.number().int();
const optionalCount = count.optional();

const hashSchema = z.object({
  user: z.string(),
  status: z.enum(STATUSES),
  /** The channel being tried; a dash once settled. */
  stage: z.enum([...CHANNELS, "-"]),
  lane: z.enum(LANES),
  attempt: count,
  fence: count,
  accepted_at: count,
  day: z.string(),
  priority: z.enum(PRIORITIES),
  template: z.string(),
  type: z.string(),
  family: z.enum(FAMILIES),
  strategy: z.enum(STRATEGIES),
  caller: z.string(),
  correlation: z.string().optional(),
  event: z.string().optional(),
  websocket: z.string(),
  push: z.string(),
  sms: z.string(),
  timeline: z.string().default(""),
  replay_id: z.string().optional(),
  epoch: z.string().optional(),
  sockets: count.default(0),
  leased_until: count.default(0),
  stage_started_at: optionalCount,
  expires_at: optionalCount,
  send_at: optionalCount,
  push_outcomes: z.string().default("{}"),
  request: z.string().optional(),
});

export interface Note {
  readonly id: string;
  readonly userId: string;
  readonly status: z.infer<typeof hashSchema>["status"];
  readonly stage: Channel | null;
  readonly lane: z.infer<typeof hashSchema>["lane"];
  /** Tries of the present stage so far. */
  readonly attempt: number;
  /** Raised by every change; a change decided on an older note is refused. */
  readonly fence: number;
  readonly acceptedAt: number;
  /** UTC day of acceptance, `2026-11-21`: where it is counted. */
  readonly day: string;
  readonly priority: z.infer<typeof hashSchema>["priority"];
  readonly templateId: string;
  readonly notificationType: string;
  readonly family: z.infer<typeof hashSchema>["family"];
  readonly strategy: z.infer<typeof hashSchema>["strategy"];
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
  readonly pushOutcomes: PushOutcomes;
  /** Null once settled (nothing personal is kept longer than needed), or if it cannot be read. */
  readonly request: StoredRequest | null;
}

const NONE = "-";

/** `state reason at confirmed_at`: one short field, readable in `redis-cli`. */
export function formatChannelRecord(record: ChannelRecord): string {
  return `${record.state} ${record.reason ?? NONE} ${record.at} ${record.confirmedAt ?? NONE}`;
}

export function parseChannelRecord(text: string): ChannelRecord {
  const [state, reason, at, confirmedAt] = text.split(" ");
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

/**
 * Null for one that was sealed with another key: the note then fails alone, when it is to be put
 * into words, instead of holding up everything that shares its envelope.
 */
function readRequest(sealed: string, open: (sealed: string) => string): StoredRequest | null {
  try {
    return storedRequestSchema.parse(JSON.parse(open(sealed)));
  } catch {
    return null;
  }
}

/**
 * Reads a note from its hash.
 * @returns undefined if there is no such note (an empty hash).
 * @throws ZodError if the hash is not one that the ledger wrote.
 */
export function parseNote(
  id: string,
  hash: Readonly<Record<string, string>>,
  open: (sealed: string) => string,
): Note | undefined {
  if (hash["status"] === undefined) return undefined;
  const raw = hashSchema.parse(hash);
  return {
    id,
    userId: raw.user,
    status: raw.status,
    stage: raw.stage === NONE ? null : raw.stage,
    lane: raw.lane,
    attempt: raw.attempt,
    fence: raw.fence,
    acceptedAt: raw.accepted_at,
    day: raw.day,
    priority: raw.priority,
    templateId: raw.template,
    notificationType: raw.type,
    family: raw.family,
    strategy: raw.strategy,
    callerId: raw.caller,
    correlationId: raw.correlation ?? id,
    eventId: raw.event ?? null,
    channels: {
      websocket: parseChannelRecord(raw.websocket),
      push: parseChannelRecord(raw.push),
      sms: parseChannelRecord(raw.sms),
    },
    timeline: raw.timeline,
    replayId: raw.replay_id ?? null,
    epoch: raw.epoch ?? null,
    sockets: raw.sockets,
    leasedUntil: raw.leased_until,
    stageStartedAt: raw.stage_started_at ?? raw.accepted_at,
    expiresAt: raw.expires_at ?? null,
    sendAt: raw.send_at ?? null,
    pushOutcomes: pushOutcomesSchema.parse(JSON.parse(raw.push_outcomes)),
    request: raw.request === undefined ? null : readRequest(raw.request, open),
  };
}
