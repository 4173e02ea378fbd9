/**
 * Other services hear how each notification ended: every settled note was told of, once for each time
 * it settled and once more where it was reached late; and what was told last is what the note says.
 * Repetitions of one event, which have its id, are left out already.
 *
 * Lawful: what was told before Redis was taken back behind it stays told, and is told again.
 */
import type { Finding } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally, type Tally } from "./tally.ts";
import { isLate, isTerminal, redrives } from "./timeline.ts";

export function toldToKafka(file: CaseFile): Finding {
  const tally = startTally("told to Kafka");
  const last = new Map<string, string>();
  const times = new Map<string, number>();
  for (const { notificationId, outcome, status } of file.statement.outcomes) {
    last.set(notificationId, status);
    const name = `${notificationId} ${outcome}`;
    times.set(name, (times.get(name) ?? 0) + 1);
  }
  judgeStrangers(file, last, tally);
  for (const note of file.notes.values()) {
    const { notification_id: id, status } = note;
    if (!isTerminal(status)) continue;
    const told = last.get(id);
    tally.expect(told === status, () =>
      told === undefined
        ? `Kafka was not told that ${id} is ${status}`
        : `Kafka was told last that ${id} is ${told}; it is ${status}`,
    );
    const wanted = { settled: 1 + redrives(note), late: isLate(note) ? 1 : 0 };
    for (const [outcome, count] of Object.entries(wanted)) {
      const found = times.get(`${id} ${outcome}`) ?? 0;
      const isMoreLawful = file.survivedUntil !== undefined;
      tally.expect(
        found === count || (isMoreLawful && found > count),
        () => `Kafka was told ${found} times, not ${count}, that ${id} is ${outcome}`,
      );
    }
  }
  return tally.finding();
}

/** What is told of and is no note: no more than was accepted when Redis was taken back. */
function judgeStrangers(file: CaseFile, last: ReadonlyMap<string, string>, tally: Tally): void {
  let lost = file.asked.filter((one) => file.isAcceptanceLost(one)).length;
  for (const [id, status] of last) {
    if (file.notes.has(id)) continue;
    lost -= 1;
    if (lost >= 0) tally.exclude();
    else tally.expect(false, () => `Kafka was told of ${id} (${status}), which is no note`);
  }
}
