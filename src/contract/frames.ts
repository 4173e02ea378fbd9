/** What travels over a client's WebSocket, as JSON text frames. */
import { z } from "zod";
import type { Category, Priority } from "./vocabulary.ts";

export interface ConnectedFrame {
  readonly type: "connected";
  readonly connection_id: string;
  /** Identity of the user's history; replay ids are comparable only within one epoch. */
  readonly epoch: string | null;
  /** The last replay id given out to this user, `"0"` before the first. */
  readonly replay_id: string;
  readonly heartbeat_interval_ms: number;
  readonly replay: "none" | "complete" | "gap";
}

export interface ReplayGapFrame {
  readonly type: "replay_gap";
  readonly reason: "trimmed" | "rewound" | "epoch_changed";
  readonly oldest_replay_id: string | null;
  readonly epoch: string | null;
}

export interface HeartbeatFrame {
  readonly type: "heartbeat";
  readonly timestamp: string;
}

export interface GoingAwayFrame {
  readonly type: "going_away";
  readonly retry_after_ms: number;
}

export const FRAME_ERROR_CODES = [
  "invalid_frame",
  "invalid_replay_from",
  "unknown_frame_type",
] as const;

export interface ErrorFrame {
  readonly type: "error";
  readonly code: (typeof FRAME_ERROR_CODES)[number];
  readonly message: string;
}

/**
 * A notification as the worker renders it. The history gives it its place:
 * `replay_id` and `epoch` are put in front when the frame is sent.
 */
export interface NotificationBody {
  readonly type: string;
  readonly event: string;
  readonly notification_id: string;
  readonly notification_type: string;
  readonly category: Category;
  readonly priority: Priority;
  readonly title: string;
  readonly body: string;
  readonly dir: "ltr" | "rtl";
  readonly locale: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly action_required: boolean;
  readonly deadline: string | null;
  readonly timestamp: string;
  readonly correlation_id: string;
  readonly batch_id?: string;
  readonly class_id?: string;
  readonly student_id?: string;
}

export interface NotificationFrame extends NotificationBody {
  readonly replay_id: string;
  readonly epoch: string;
}

/** Replay ids are decimal text, so that no client meets a number it cannot hold. */
export const replayIdSchema = z.string().regex(/^\d{1,15}$/);

export const clientFrameSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("pong") }),
  z.object({
    type: z.enum(["ack", "read"]),
    replay_id: replayIdSchema,
    epoch: z.string().max(64).optional(),
    notification_id: z.uuid().optional(),
  }),
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;
