/**
 * Nothing is left half done. Each note has come to an end, with no channel still to be tried, and the
 * due index is empty. A note that has not ended and is not due would wait for ever. And nothing that was
 * scheduled came before its time.
 */
import { CHANNELS } from "../../../../src/contract/vocabulary.ts";
import type { Finding } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";
import { isTerminal } from "./timeline.ts";

export function settled(file: CaseFile): Finding {
  const tally = startTally("settled");
  for (const { notification_id: id, status, channels, cancelled } of endings(file)) {
    tally.expect(isTerminal(status), () => `${id} is still ${status}`);
    const open = CHANNELS.filter((name) => channels[name] === "queued");
    tally.expect(
      !isTerminal(status) || open.length === 0,
      () => `${id} is ${status}, and ${open.join(" and ")} still to be tried`,
    );
    tally.expect(
      !cancelled || status === "cancelled",
      () => `${id} was said to be cancelled and is ${status}`,
    );
  }
  for (const { id, sendAt, cameAt } of arrivalsOfScheduled(file)) {
    tally.expect(
      cameAt >= sendAt - EARLY_MS,
      () => `${id} came ${sendAt - cameAt} ms before it was to be sent`,
    );
  }
  const { unsettled } = file.statement;
  tally.expect(unsettled === 0, () => `${unsettled} entries are left in the due index`);
  return tally.finding();
}

/** Of clocks, which are never quite the same. */
const EARLY_MS = 1_000;

function arrivalsOfScheduled(file: CaseFile) {
  if (file.redisClockStepped === true) return [];
  const first = new Map<string, number>();
  const came = (id: string, at: number): void => {
    first.set(id, Math.min(at, first.get(id) ?? Number.POSITIVE_INFINITY));
  };
  for (const event of file.tabs.flatMap(({ events }) => events)) {
    if (event.kind === "frame") came(event.notificationId, event.at);
  }
  for (const { notificationId, at } of file.pushes) came(notificationId, at);
  return [...file.notes.values()].flatMap(({ notification_id: id, sendAt }) => {
    for (const { at } of file.textsOf(file.askedFor(id)?.key ?? "")) came(id, at);
    const cameAt = first.get(id);
    return sendAt === undefined || cameAt === undefined ? [] : [{ id, sendAt, cameAt }];
  });
}

/** A cancellation comes at most so long after its request: what is cancelled is scheduled soon. */
const CANCEL_WITHIN_MS = 15_000;

function endings(file: CaseFile) {
  return [...file.notes.values()].map((note) => {
    const asked = file.askedFor(note.notification_id);
    // A Redis that was taken back may not know of it.
    const forgotten =
      asked !== undefined && file.isLost(asked.askedAt, asked.askedAt + CANCEL_WITHIN_MS);
    const cancelled = asked?.cancelled === true && !forgotten;
    return { ...note, cancelled };
  });
}
