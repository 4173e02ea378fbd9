/**
 * Nothing is confirmed that nobody confirmed: for each `confirmed_at` a page of that person
 * acknowledged the place of the message, or a later one of the same epoch (acknowledgements are
 * cumulative, and those of one page speak for what the person has received), or a service worker
 * said that it showed the push. The other way round need not be: an acknowledgement may be lost.
 */
import type { Finding, StatedNote } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";

export function confirmedByAcks(file: CaseFile): Finding {
  const tally = startTally("confirmed by acks");
  for (const note of file.notes.values()) {
    const { notification_id: id, channel_details: details } = note;
    if (details.websocket.confirmed_at !== undefined) {
      tally.expect(isAcknowledged(file, note), () => `${id} is confirmed, and no page said so`);
    }
    if (details.push.confirmed_at !== undefined) {
      const pushes = file.pushesOf(id);
      tally.expect(
        pushes.some(({ receipted }) => receipted),
        () => `the push of ${id} is confirmed, and no service worker said so`,
      );
    }
    tally.expect(
      details.sms.confirmed_at === undefined,
      () => `the SMS of ${id} is confirmed, which nobody can do`,
    );
  }
  return tally.finding();
}

function isAcknowledged(file: CaseFile, note: StatedNote): boolean {
  const { notification_id: id, user_id: userId, replay_id: replayId, epoch } = note;
  const events = file.tabsOf(userId).flatMap((tab) => tab.events);
  // One that was sent again has several places.
  const places = events.filter((event) => event.kind === "frame" && event.notificationId === id);
  const own = { epoch, replayId: Number(replayId) };
  return events.some(
    (event) =>
      event.kind === "acked" &&
      [own, ...places].some(
        (place) =>
          "replayId" in place && place.epoch === event.epoch && place.replayId <= event.replayId,
      ),
  );
}
