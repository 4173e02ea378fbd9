/** Reads what the server sends over the WebSocket; a frame of a kind unknown here is left alone. */
import * as z from "zod/mini";
import type {
  ConnectedFrame,
  ErrorFrame,
  GoingAwayFrame,
  HeartbeatFrame,
  NotificationFrame,
  ReplayGapFrame,
} from "../../contract/frames.ts";
import { CATEGORIES, PRIORITIES } from "../../contract/vocabulary.ts";

// zod's faster path needs eval, which a strict content security policy reports as a violation.
z.config({ jitless: true });

export type Incoming =
  | { readonly kind: "connected"; readonly frame: ConnectedFrame }
  | { readonly kind: "gap"; readonly frame: ReplayGapFrame }
  | { readonly kind: "heartbeat"; readonly frame: HeartbeatFrame }
  | { readonly kind: "going_away"; readonly frame: GoingAwayFrame }
  | { readonly kind: "error"; readonly frame: Pick<ErrorFrame, "type" | "message"> }
  | { readonly kind: "notification"; readonly frame: NotificationFrame };

const replayId = z.string().check(z.regex(/^\d{1,15}$/));

const connected = z.object({
  type: z.literal("connected"),
  connection_id: z.string(),
  epoch: z.nullable(z.string()),
  replay_id: replayId,
  heartbeat_interval_ms: z.number().check(z.positive()),
  replay: z.enum(["none", "complete", "gap"]),
});

const gap = z.object({
  type: z.literal("replay_gap"),
  reason: z.enum(["trimmed", "rewound", "epoch_changed"]),
  oldest_replay_id: z.nullable(replayId),
  epoch: z.nullable(z.string()),
});

const heartbeat = z.object({ type: z.literal("heartbeat"), timestamp: z.string() });
const goingAway = z.object({
  type: z.literal("going_away"),
  retry_after_ms: z.number().check(z.nonnegative()),
});
const serverError = z.object({ type: z.literal("error"), message: z.string() });

const notification = z.object({
  type: z.string(),
  event: z.string(),
  notification_id: z.string(),
  replay_id: replayId,
  epoch: z.string(),
  notification_type: z.string(),
  category: z.enum(CATEGORIES),
  priority: z.enum(PRIORITIES),
  title: z.string(),
  body: z.string(),
  dir: z.enum(["ltr", "rtl"]),
  locale: z.string(),
  data: z.record(z.string(), z.unknown()),
  action_required: z.boolean(),
  deadline: z.nullable(z.string()),
  timestamp: z.string(),
  correlation_id: z.string(),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns undefined for what is not a frame this client knows. */
export function readFrame(text: string): Incoming | undefined {
  const value = parseJson(text);
  const type = z.safeParse(z.object({ type: z.string() }), value).data?.type;
  switch (type) {
    case undefined:
      return undefined;
    case "connected":
      return wrap("connected", z.safeParse(connected, value).data);
    case "replay_gap":
      return wrap("gap", z.safeParse(gap, value).data);
    case "heartbeat":
      return wrap("heartbeat", z.safeParse(heartbeat, value).data);
    case "going_away":
      return wrap("going_away", z.safeParse(goingAway, value).data);
    case "error":
      return wrap("error", z.safeParse(serverError, value).data);
    default:
      return wrap("notification", z.safeParse(notification, value).data);
  }
}

function wrap<K extends Incoming["kind"]>(
  kind: K,
  frame: Extract<Incoming, { kind: K }>["frame"] | undefined,
): Incoming | undefined {
  // TypeScript does not follow that a kind and its own frame make one member of the union.
  return frame === undefined ? undefined : ({ kind, frame } as Incoming);
}
