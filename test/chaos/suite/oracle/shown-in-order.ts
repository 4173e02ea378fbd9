/**
 * Each person's messages come in their order. On every connection a message follows directly on the
 * one before, within its epoch, unless a gap was announced (see reading.ts); so a repetition comes
 * only after a reconnect, which asks for what follows on something received. Over all pages of a
 * person, a place in an epoch is one notification's, and a notification has one place in an epoch, or
 * one more for each time an operator had it sent again. Nobody is shown what is for somebody else.
 *
 * Nothing is excused: a Redis that comes back with older data begins a new epoch.
 */
import type { Finding, TabEvent, TabLog } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { followConnection, type Reading } from "./reading.ts";
import { startTally, type Tally } from "./tally.ts";
import { channelRedrives } from "./timeline.ts";

export function shownInOrder(file: CaseFile): Finding {
  const tally = startTally("shown in order");
  const users = Map.groupBy(file.tabs, ({ userId }) => userId);
  for (const [userId, tabs] of users) {
    for (const tab of tabs) {
      judgeConnections(tab, tally);
      judgeRecipients(file, tab, tally);
    }
    judgePlaces(file, userId, tabs, tally);
  }
  return tally.finding();
}

function judgeConnections({ name, events }: TabLog, tally: Tally): void {
  let reading: Reading | undefined;
  const received = new Set<string>();
  for (const event of events) {
    switch (event.kind) {
      case "open":
        reading = followConnection(event);
        judgeResumption(name, event, received, tally);
        break;
      case "gap":
        reading?.gap(event);
        break;
      case "frame": {
        const wrong = reading === undefined ? "a message came before the greeting" : undefined;
        const found = reading?.frame(event) ?? wrong;
        tally.expect(found === undefined, () => `${name}: ${found}`);
        received.add(`${event.replayId} of ${event.epoch}`);
        break;
      }
      case "shown":
      case "acked":
      case "closed":
        break;
    }
  }
}

/** A page asks only for what follows on something that it received. */
function judgeResumption(
  name: string,
  { from }: Extract<TabEvent, { readonly kind: "open" }>,
  received: ReadonlySet<string>,
  tally: Tally,
): void {
  if (from === undefined || from.replayId === 0) return;
  const place = `${from.replayId} of ${from.epoch}`;
  tally.expect(received.has(place), () => `${name} resumed behind ${place}, which never came`);
}

/** By the asker's own book, and by the note, which may be gone where Redis was taken back. */
function judgeRecipients(file: CaseFile, { name, userId, events }: TabLog, tally: Tally): void {
  for (const event of events) {
    if (event.kind !== "frame") continue;
    const { key, notificationId: id } = event;
    const owners = [file.askedByKey.get(key), file.notes.get(id)].flatMap((found) => {
      if (found === undefined) return [];
      return "user_id" in found ? found.user_id : found.userId;
    });
    const stranger = owners.find((owner) => owner !== userId);
    tally.expect(stranger === undefined, () => `${name} was shown ${id}, which is for ${stranger}`);
    tally.expect(owners.length > 0, () => `${name} was shown ${id}, which nobody asked for`);
  }
}

function judgePlaces(file: CaseFile, userId: string, tabs: readonly TabLog[], tally: Tally): void {
  const holders = new Map<string, Set<string>>();
  const places = new Map<string, Set<number>>();
  for (const { events } of tabs) {
    for (const event of events) {
      if (event.kind !== "frame") continue;
      const { epoch, replayId, notificationId } = event;
      addTo(holders, `${replayId} of ${epoch}`, notificationId);
      addTo(places, `${notificationId} in ${epoch}`, replayId);
    }
  }
  for (const [place, ids] of holders) {
    tally.expect(ids.size === 1, () => `${userId}: ${place} was ${[...ids].join(" and ")}`);
  }
  for (const [name, ids] of places) {
    const note = file.notes.get(name.split(" ")[0] ?? "");
    const again = note === undefined ? 0 : channelRedrives(note, "websocket");
    tally.expect(ids.size <= 1 + again, () => `${userId}: ${name} came as ${[...ids].join(", ")}`);
  }
}

function addTo<V>(sets: Map<string, Set<V>>, name: string, value: V): void {
  const known = sets.get(name) ?? new Set();
  sets.set(name, known.add(value));
}
