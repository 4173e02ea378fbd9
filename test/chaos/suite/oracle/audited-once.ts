/**
 * The trail has one line that a note was accepted and one for each time it settled: once, and once
 * more for each time that an operator had it sent again. One that was reached after it had settled
 * otherwise has a line that says so. No line names a note that there is not.
 */
import type { Finding } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";
import { isLate, isTerminal, redrives } from "./timeline.ts";

export function auditedOnce(file: CaseFile): Finding {
  const tally = startTally("audited once");
  const lines = new Map<string, number>();
  for (const { event, notificationId } of file.statement.audit) {
    if (notificationId === undefined) continue;
    const name = `${notificationId} ${event}`;
    lines.set(name, (lines.get(name) ?? 0) + 1);
    tally.expect(
      file.notes.has(notificationId),
      () => `the trail says ${event} of ${notificationId}, which is no note`,
    );
  }
  for (const note of file.notes.values()) {
    const again = redrives(note);
    const expected = {
      accepted: 1,
      settled: again + (isTerminal(note.status) ? 1 : 0),
      late: isLate(note) ? 1 : 0,
      redriven: again,
    };
    for (const [event, wanted] of Object.entries(expected)) {
      const found = lines.get(`${note.notification_id} ${event}`) ?? 0;
      tally.expect(
        found === wanted,
        () => `${note.notification_id} is audited as ${event} ${found} times, not ${wanted}`,
      );
    }
  }
  return tally.finding();
}
