/** A note as callers see it. */
import { z } from "zod";
import {
  CHANNEL_STATUSES,
  CHANNELS,
  REASONS,
  STATUSES,
  type Channel,
} from "../contract/vocabulary.ts";
import { parseTimeline, type ChannelRecord, type Note } from "./note.ts";
import { channelStatus, isSettled } from "./status-machine.ts";

const perChannel = <S extends z.ZodType>(schema: S) =>
  z.object({ websocket: schema, push: schema, sms: schema });

const detailSchema = z.object({
  reason: z.enum(REASONS).optional(),
  at: z.string().describe("RFC 3339"),
  confirmed_at: z.string().optional().describe("when the recipient's side said so"),
});

export const notificationStatusSchema = z.object({
  notification_id: z.string(),
  status: z.enum(STATUSES),
  channels: perChannel(z.enum(CHANNEL_STATUSES)),
  channel_details: perChannel(detailSchema),
  timestamp: z.string().describe("when it was accepted, RFC 3339"),
  websocket_connections: z.number().int().describe("sockets that the frame was written to"),
  replay_id: z.string().nullable(),
  estimated_delivery: z
    .string()
    .describe(
      "when somebody was first reached; until then, when it is to be sent; of one that ended without reaching anybody (see `status`), when it was given up",
    ),
});
export type NotificationStatus = z.infer<typeof notificationStatusSchema>;

export const notificationDetailSchema = notificationStatusSchema.extend({
  user_id: z.string(),
  template_id: z.string(),
  timeline: z.array(
    z.object({
      at: z.string(),
      channel: z.enum(CHANNELS).optional(),
      from: z.string(),
      to: z.string(),
      reason: z.string().optional(),
    }),
  ),
});
export type NotificationDetail = z.infer<typeof notificationDetailSchema>;

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

function estimatedDelivery(note: Note): number {
  const records = CHANNELS.map((name) => note.channels[name]);
  const reached = records.filter(({ state }) => state === "delivered" || state === "confirmed");
  if (reached.length > 0) return Math.min(...reached.map(({ at }) => at));
  if (isSettled(note.status)) return Math.max(...records.map(({ at }) => at));
  return Math.max(note.acceptedAt, note.sendAt ?? 0);
}

function mapChannels<T>(map: (channel: Channel) => T): Record<Channel, T> {
  return { websocket: map("websocket"), push: map("push"), sms: map("sms") };
}

/** Why a channel is where it is, and since when. */
export function viewChannel({ reason, at, confirmedAt }: ChannelRecord) {
  return {
    ...(reason === null ? {} : { reason }),
    at: iso(at),
    ...(confirmedAt === null ? {} : { confirmed_at: iso(confirmedAt) }),
  };
}

/** What `POST /notify` answers. */
export function viewStatus(note: Note): NotificationStatus {
  return {
    notification_id: note.id,
    status: note.status,
    channels: mapChannels((name) => channelStatus(note.channels[name])),
    channel_details: mapChannels((name) => viewChannel(note.channels[name])),
    timestamp: iso(note.acceptedAt),
    websocket_connections: note.sockets,
    replay_id: note.replayId,
    estimated_delivery: iso(estimatedDelivery(note)),
  };
}

/** What `GET /notifications/{id}` answers. */
export function viewDetail(note: Note): NotificationDetail {
  return {
    ...viewStatus(note),
    user_id: note.userId,
    template_id: note.templateId,
    timeline: parseTimeline(note.timeline).map(({ at, channel, from, to, reason }) => ({
      at: iso(at),
      ...(channel === null ? {} : { channel }),
      from,
      to,
      ...(reason === null ? {} : { reason }),
    })),
  };
}
