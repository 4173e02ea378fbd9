/**
 * Who has a page open misses nothing. Each page that is connected at the end stands where its user's
 * history does; what came over the wire was shown; and what a note says was delivered to a page (or
 * confirmed by one) was received by one of that person's pages.
 *
 * Lawful: a person without a page at the end may have lost what was written to the last one as it
 * went, and a page misses what it was told that it would.
 */
import { hasReached } from "../audience/standing.ts";
import { advanceStanding, NOWHERE } from "../audience/standing.ts";
import type { Finding, StatedNote, TabLog } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { isExcused } from "./excused.ts";
import { startTally, type Tally } from "./tally.ts";

export function nothingMissed(file: CaseFile): Finding {
  const tally = startTally("nothing missed");
  for (const tab of file.tabs) {
    judgeEnd(file, tab, tally);
    judgeShown(tab, tally);
  }
  const received = new Set<string>();
  for (const { userId, events } of file.tabs) {
    for (const event of events) {
      if (event.kind === "frame") received.add(`${event.notificationId} ${userId}`);
    }
  }
  for (const note of file.notes.values()) {
    if (note.channels.websocket !== "delivered") continue;
    const { notification_id: id, user_id: userId } = note;
    tally.expect(
      received.has(`${id} ${userId}`) || !isMissedBySomebody(file, note),
      () => `${id} was delivered to a page of ${userId}, and none received it`,
    );
  }
  return tally.finding();
}

function judgeEnd(file: CaseFile, tab: TabLog, tally: Tally): void {
  const position = file.statement.positions.get(tab.userId);
  if (!tab.connectedAtEnd || position === undefined) return;
  const { epoch, replayId } = tab.events.reduce(advanceStanding, NOWHERE);
  tally.expect(
    hasReached({ epoch, replayId }, position),
    () =>
      `${tab.name} stands at ${replayId} of ${epoch}, ` +
      `its user's history at ${position.replayId} of ${position.epoch}`,
  );
}

/** The client drops what it has shown; what it never showed, it overlooked. */
function judgeShown({ name, events }: TabLog, tally: Tally): void {
  const shown = new Set(events.map((event) => event.kind === "shown" && event.notificationId));
  for (const event of events) {
    if (event.kind !== "frame") continue;
    tally.expect(
      shown.has(event.notificationId),
      () => `${name} received ${event.notificationId} and never showed it`,
    );
  }
}

/** Whether a page that is there at the end should have had what nobody received. */
function isMissedBySomebody(file: CaseFile, note: StatedNote): boolean {
  const place = { epoch: note.epoch ?? "", replayId: Number(note.replay_id) };
  return file.tabsOf(note.user_id).some((tab) => tab.connectedAtEnd && !isExcused(tab, place));
}
