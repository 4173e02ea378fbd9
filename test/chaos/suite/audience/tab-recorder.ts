/** Writes down what comes over the wire of a page and what goes out, beside the client that reads it. */
import { z } from "zod";
import type { TabEvent } from "../evidence.ts";
import { keyIn } from "./key.ts";

const place = z.object({ replay_id: z.string(), epoch: z.string() });

/** Read by hand and not by the shipped client: what that one overlooks has to be seen here. */
const incoming = z.union([
  z.object({ type: z.literal("connected"), epoch: z.string().nullable(), replay_id: z.string() }),
  z.object({
    type: z.literal("replay_gap"),
    reason: z.string(),
    epoch: z.string().nullable(),
    oldest_replay_id: z.string().nullable(),
  }),
  place.extend({
    type: z.string(),
    notification_id: z.string(),
    title: z.string(),
    correlation_id: z.string(),
  }),
]);
const outgoing = place.extend({ type: z.literal("ack") });

export type AskedReplay = Extract<TabEvent, { readonly kind: "open" }>["from"];

/** One connection's part of the log. Nothing is written down once it has ended. */
export interface ConnectionRecorder {
  received(text: string): void;
  sent(text: string): void;
  ended(code: number): void;
}

/** @param visit how often the page was loaded anew before */
export function recordConnection(
  events: TabEvent[],
  options: { readonly url: URL; readonly visit: number; readonly now: () => number },
): ConnectionRecorder {
  const { visit, now } = options;
  const from = askedReplay(options.url);
  let over = false;

  return {
    received(text) {
      const { data: frame } = incoming.safeParse(parseJson(text));
      if (over || frame === undefined) return;
      const at = now();
      const epoch = frame.epoch ?? "";
      if ("notification_id" in frame) {
        const key = keyIn(frame.correlation_id) || keyIn(frame.title);
        const { notification_id: notificationId } = frame;
        const replayId = Number(frame.replay_id);
        events.push({ kind: "frame", at, notificationId, key, replayId, epoch });
      } else if ("oldest_replay_id" in frame) {
        const { reason, oldest_replay_id: oldest } = frame;
        const oldestId = oldest === null ? undefined : Number(oldest);
        events.push({ kind: "gap", at, reason, epoch, oldest: oldestId });
      } else {
        events.push({ kind: "open", at, epoch, replayId: Number(frame.replay_id), visit, from });
      }
    },
    sent(text) {
      const { data: ack } = outgoing.safeParse(parseJson(text));
      if (over || ack === undefined) return;
      const { replay_id: replayId, epoch } = ack;
      events.push({ kind: "acked", at: now(), replayId: Number(replayId), epoch });
    },
    ended(code) {
      if (over) return;
      over = true;
      events.push({ kind: "closed", at: now(), code });
    },
  };
}

function askedReplay(url: URL): AskedReplay {
  const replayId = url.searchParams.get("replay_from");
  if (replayId === null) return undefined;
  return { replayId: Number(replayId), epoch: url.searchParams.get("epoch") ?? undefined };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
