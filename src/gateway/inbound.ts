/** What a client may say: parses its frames and counts them. */
import { clientFrameSchema, type ErrorFrame } from "../contract/frames.ts";
import type { Clock } from "../platform/clock.ts";
import type { AckFrame } from "./acks.ts";

const WINDOW_MS = 10_000;

/** Frames per window that are neither pong nor about a received message. */
const MAX_OTHER_FRAMES = 20;

/** All frames per window: room for a client that acknowledges every frame of full replays singly. */
const MAX_FRAMES = 1_000;

export type Inbound =
  | { readonly kind: "pong" }
  | { readonly kind: "ack"; readonly frame: AckFrame }
  | { readonly kind: "error"; readonly error: ErrorFrame }
  | { readonly kind: "too_many" };

const KNOWN_TYPES: readonly unknown[] = ["pong", "ack", "read"];

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(code: ErrorFrame["code"], message: string): Inbound {
  return { kind: "error", error: { type: "error", code, message } };
}

/** Reads one frame. Binary frames and what is not a JSON object are invalid. */
export function parseInbound(data: Buffer, isBinary: boolean): Inbound {
  const value = isBinary ? undefined : parseJson(data.toString("utf8"));
  if (typeof value !== "object" || value === null || !("type" in value)) {
    return refusal("invalid_frame", "A frame is a JSON object with a type, sent as text.");
  }
  const parsed = clientFrameSchema.safeParse(value);
  if (parsed.success) {
    const frame = parsed.data;
    return frame.type === "pong" ? { kind: "pong" } : { kind: "ack", frame };
  }
  return KNOWN_TYPES.includes(value.type)
    ? refusal(
        "invalid_frame",
        "The frame lacks a replay_id in decimal digits, or a field is wrong.",
      )
    : refusal("unknown_frame_type", "Known types are pong, ack and read.");
}

/** Returns the reader of one socket's frames, which counts them. */
export function createInboundReader(deps: {
  readonly clock: Clock;
  readonly limited: boolean;
}): (data: Buffer, isBinary: boolean) => Inbound {
  const { clock, limited } = deps;
  let windowEndsAt = 0;
  let frames = 0;
  let others = 0;

  return (data, isBinary) => {
    if (clock.now() >= windowEndsAt) {
      windowEndsAt = clock.now() + WINDOW_MS;
      frames = 0;
      others = 0;
    }
    frames += 1;
    const inbound = parseInbound(data, isBinary);
    if (inbound.kind === "error") others += 1;
    const tooMany = frames > MAX_FRAMES || others > MAX_OTHER_FRAMES;
    return limited && tooMany ? { kind: "too_many" } : inbound;
  };
}
