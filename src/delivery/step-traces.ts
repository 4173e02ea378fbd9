/** What each step of a channel leaves behind: a line of the timeline, and what is counted. Pure. */
import type { Channel, ChannelState, Reason } from "../contract/vocabulary.ts";
import type { ChannelRecord, TimelineEntry } from "../tracking/note.ts";

/** The line of a timeline for a channel's step. */
export function entry(
  channel: Channel,
  from: ChannelRecord,
  to: ChannelState,
  reason: Reason | null,
  at: number,
): TimelineEntry {
  return { at, channel, from: from.state, to, reason };
}

/** What a channel that ends so counts as. */
export function outcomeCounts(
  channel: Channel,
  to: ChannelState,
  reason: Reason | null,
): Record<string, number> {
  if (reason === "offline") return { [`${channel}.offline`]: 1 };
  if (to === "delivered") return { [`${channel}.delivered`]: 1 };
  if (to === "failed" || to === "unknown") return { [`${channel}.failed`]: 1 };
  return {};
}
