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

const PONG: Inbound = { kind: "pong" };
const TOO_MANY: Inbound = { kind: "too_many" };

/** As our own clients write it: compared as bytes it costs a tenth of being parsed. */
const USUAL_PONG = Buffer.from('{"type":"pong"}');

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
  if (!isBinary && data.equals(USUAL_PONG)) return PONG;
  const value = isBinary ? undefined : parseJson(data.toString("utf8"));
  if (typeof value !== "object" || value === null || !("type" in value)) {
    return refusal("invalid_frame", "A frame is a JSON object with a type, sent as text.");
  }
  const parsed = clientFrameSchema.safeParse(value);
  if (parsed.success) {
    const frame = parsed.data;
    return frame.type === "pong" ? PONG : { kind: "ack", frame };
  }
  return KNOWN_TYPES.includes(value.type)
    ? refusal(
        "invalid_frame",
        "The frame lacks a replay_id in decimal digits, or a field is wrong.",
      )
    : refusal("unknown_frame_type", "Known types are pong, ack and read.");
}

interface Count {
  frames: number;
  others: number;
}

/**
 * Returns the reader of all sockets' frames, which counts them for each. The counts are made anew in
 * every window, so that a socket that says nothing takes no memory for them.
 */
export function createInboundReader(deps: {
  readonly clock: Clock;
  readonly limited: boolean;
}): (socket: object, data: Buffer, isBinary: boolean) => Inbound {
  const { clock, limited } = deps;
  let windowEndsAt = 0;
  let counts = new Map<object, Count>();

  function isOneTooMany(socket: object, inbound: Inbound): boolean {
    const now = clock.now();
    if (now >= windowEndsAt) {
      windowEndsAt = now + WINDOW_MS;
      counts = new Map();
    }
    const count = counts.get(socket) ?? { frames: 0, others: 0 };
    counts.set(socket, count);
    count.frames += 1;
    if (inbound.kind === "error") count.others += 1;
    return count.frames > MAX_FRAMES || count.others > MAX_OTHER_FRAMES;
  }

  return (socket, data, isBinary) => {
    const inbound = parseInbound(data, isBinary);
    return limited && isOneTooMany(socket, inbound) ? TOO_MANY : inbound;
  };
}
