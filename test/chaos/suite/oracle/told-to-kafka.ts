/**
 * Other services hear how each notification ended: every settled note was told of, and what was told
 * last, repetitions aside, is what the note says.
 *
 * Lawful: what was told before Redis was taken back behind it stays told.
 */
import type { Finding } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";
import { isTerminal } from "./timeline.ts";

export function toldToKafka(file: CaseFile): Finding {
  const tally = startTally("told to Kafka");
  const last = new Map<string, string>();
  for (const { notificationId, status } of file.statement.outcomes) {
    last.set(notificationId, status);
  }
  for (const [id, status] of last) {
    if (file.notes.has(id)) continue;
    if (file.survivedUntil !== undefined) tally.exclude();
    else tally.expect(false, () => `Kafka was told of ${id} (${status}), which is no note`);
  }
  for (const { notification_id: id, status } of file.notes.values()) {
    if (!isTerminal(status)) continue;
    const told = last.get(id);
    tally.expect(told === status, () =>
      told === undefined
        ? `Kafka was not told that ${id} is ${status}`
        : `Kafka was told last that ${id} is ${told}; it is ${status}`,
    );
  }
  return tally.finding();
}
