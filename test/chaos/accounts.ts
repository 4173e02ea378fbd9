/** Whether the product's own numbers agree with what became of each notification, once and for all. */
import { expect } from "vitest";
import { CHANNELS, type Channel } from "../../src/contract/vocabulary.ts";
import type { AnalyticsReport } from "../../src/tracking/analytics.ts";
import type { NotificationDetail } from "../../src/tracking/view.ts";
import { countAudited, readAnalytics, readNotification } from "./api.ts";
import { soon } from "./soon.ts";

const OPEN_STATUSES = new Set(["scheduled", "queued"]);

/** The numbers that have to come out; of websocket frames, how many were sent is not told by a note. */
interface Sums {
  total: number;
  readonly statuses: Record<string, number>;
  readonly channels: Record<string, number>;
}

function sumNotes(notes: readonly NotificationDetail[]): Sums {
  const sums: Sums = { total: notes.length, statuses: {}, channels: {} };
  const add = (name: string, holds: boolean): void => {
    sums.channels[name] = (sums.channels[name] ?? 0) + (holds ? 1 : 0);
  };
  for (const note of notes) {
    sums.statuses[note.status] = (sums.statuses[note.status] ?? 0) + 1;
    for (const channel of CHANNELS) {
      add(`${channel}.delivered`, note.channels[channel] === "delivered");
      add(`${channel}.failed`, note.channels[channel] === "failed");
      add(`${channel}.confirmed`, note.channel_details[channel].confirmed_at !== undefined);
      if (channel !== "websocket") add(`${channel}.sent`, wasSent(note, channel));
    }
  }
  return sums;
}

const wasSent = (note: NotificationDetail, channel: Channel): boolean =>
  note.timeline.some((step) => step.channel === channel && step.to === "sending");

function sumAnalytics(report: AnalyticsReport): Sums {
  const channels: Record<string, number> = {};
  for (const channel of CHANNELS) {
    const { sent, delivered, failed, confirmed } = report.delivery_stats[channel];
    Object.assign(channels, {
      [`${channel}.delivered`]: delivered,
      [`${channel}.failed`]: failed,
      [`${channel}.confirmed`]: confirmed,
      ...(channel === "websocket" ? {} : { [`${channel}.sent`]: sent }),
    });
  }
  const statuses = Object.entries(report.statuses).filter(([, count]) => count !== 0);
  return { total: report.total_notifications, statuses: Object.fromEntries(statuses), channels };
}

/** Each of these settles, was accepted and settled once, and together they are all that was counted. */
export async function expectToAddUp(
  baseUrl: string,
  ids: readonly string[],
): Promise<NotificationDetail[]> {
  const notes = await soon(async () => {
    const read = await Promise.all(ids.map((id) => readNotification(baseUrl, id)));
    expect(read.filter(({ status }) => OPEN_STATUSES.has(status))).toEqual([]);
    expect(sumAnalytics(await readAnalytics(baseUrl))).toEqual(sumNotes(read));
    return read;
  });
  for (const id of ids) {
    expect(await countAudited(baseUrl, id, "accepted"), `${id} accepted`).toBe(1);
    expect(await countAudited(baseUrl, id, "settled"), `${id} settled`).toBe(1);
  }
  return notes;
}
