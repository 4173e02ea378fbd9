/**
 * Who has a page open misses nothing. Each page that is connected at the end stands where its user's
 * history does, and has received each note of that person at its place; what came over the wire was
 * shown; and what a note says was delivered to a page (or confirmed by one) was received by one.
 * Nobody is passed over: whatever was not cancelled has a place in the history, and no way to a person
 * that is there was taken for none.
 *
 * Lawful: a person without a page at the end may have lost what was written to the last one as it
 * went, and a page misses what it was told that it would. Where Redis was taken back behind it, a
 * push that was shown leaves no place in the history.
 */
import { advanceStanding, hasReached, NOWHERE } from "../audience/standing.ts";
import type { Finding, StatedNote, TabLog } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { isExcused } from "./excused.ts";
import { judgePassedOver } from "./passed-over.ts";
import { startTally, type Tally } from "./tally.ts";

export function nothingMissed(file: CaseFile): Finding {
  const tally = startTally("nothing missed");
  const received = new Map(file.tabs.map((tab) => [tab, receivedBy(tab)]));
  for (const tab of file.tabs) {
    judgeEnd(file, tab, tally);
    judgeShown(tab, tally);
  }
  for (const note of file.notes.values()) {
    judgePlace(file, note, received, tally);
    judgePassedOver(file, note, tally);
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

/** What a page received: ids, and ids with their places. */
type Received = ReadonlySet<string>;

function receivedBy({ events }: TabLog): Received {
  const received = new Set<string>();
  for (const event of events) {
    if (event.kind !== "frame") continue;
    const { notificationId: id, replayId, epoch } = event;
    received.add(id).add(`${id} at ${replayId} of ${epoch}`);
  }
  return received;
}

function judgePlace(
  file: CaseFile,
  note: StatedNote,
  received: ReadonlyMap<TabLog, Received>,
  tally: Tally,
): void {
  const { notification_id: id, user_id: userId, status, epoch, replay_id: replayId } = note;
  const tabs = file.tabsOf(userId);
  const has = (tab: TabLog, what: string): boolean => received.get(tab)?.has(what) === true;
  if (note.channels.websocket === "delivered") {
    // One that has gone may have been the one.
    const isKnown = tabs.some((tab) => has(tab, id) || !tab.connectedAtEnd);
    tally.expect(
      isKnown || tabs.some((tab) => isExcused(tab, placeOf(note))),
      () => `${id} was delivered to a page of ${userId}, and none received it`,
    );
  }
  if (status === "cancelled") return;
  if (wasReachedBefore(file, note)) return tally.exclude();
  tally.expect(
    epoch !== undefined && replayId !== null,
    () => `${id} is ${status}, and has no place in the history of ${userId}`,
  );
  if (epoch === undefined || replayId === null) return;
  const where = `${id} at ${replayId} of ${epoch}`;
  for (const tab of tabs) {
    if (!tab.connectedAtEnd) continue;
    tally.expect(
      has(tab, where) || isExcused(tab, placeOf(note)),
      () => `${tab.name} never received ${where}, and was told of no loss`,
    );
  }
}

/** A browser showed what a Redis that was taken back takes for not sent yet: then nothing is sent. */
function wasReachedBefore(file: CaseFile, note: StatedNote): boolean {
  const { channel_details: details, replay_id: replayId } = note;
  const wasLeftOut = details.websocket.reason === "not_needed" && replayId === null;
  return file.survivedUntil !== undefined && wasLeftOut && details.push.confirmed_at !== undefined;
}

const placeOf = ({ epoch = "", replay_id: replayId }: StatedNote) => ({
  epoch,
  replayId: Number(replayId),
});
