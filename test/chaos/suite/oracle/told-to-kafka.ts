/**
 * Other services hear how each notification ended: every settled note was told of, once for each time
 * it settled and once more where it was reached late; and what was told last is what the note says.
 * Repetitions of one event, which have its id, are left out already.
 *
 * Lawful: what was told before Redis was taken back behind it stays told, and is told again; as it may
 * still have been on its way then, it may be found behind what the note became since.
 */
import type { Finding, Told } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally, type Tally } from "./tally.ts";
import { isLate, isTerminal, redrives } from "./timeline.ts";

export function toldToKafka(file: CaseFile): Finding {
  const tally = startTally("told to Kafka");
  const { statement, survivedUntil } = file;
  const events = Map.groupBy(statement.outcomes, ({ notificationId }) => notificationId);
  judgeStrangers(file, events, tally);
  for (const note of file.notes.values()) {
    const { notification_id: id, status } = note;
    if (!isTerminal(status)) continue;
    const told = events.get(id) ?? [];
    const timesOf = (kind: string): number => told.filter(({ outcome }) => outcome === kind).length;
    const wanted = { settled: 1 + redrives(note), late: isLate(note) ? 1 : 0 };
    const last = told.at(-1)?.status;
    const wasTakenBack = survivedUntil !== undefined && timesOf("settled") > wanted.settled;
    const isOvertaken = wasTakenBack && told.some((one) => one.status === status);
    if (last !== status && isOvertaken) tally.exclude();
    else
      tally.expect(last === status, () =>
        last === undefined
          ? `Kafka was not told that ${id} is ${status}`
          : `Kafka was told last that ${id} is ${last}; it is ${status}`,
      );
    for (const [outcome, count] of Object.entries(wanted)) {
      const found = timesOf(outcome);
      tally.expect(
        found === count || (survivedUntil !== undefined && found > count),
        () => `Kafka was told ${found} times, not ${count}, that ${id} is ${outcome}`,
      );
    }
  }
  return tally.finding();
}

/** What is told of and is no note: no more than was accepted when Redis was taken back. */
function judgeStrangers(
  file: CaseFile,
  events: ReadonlyMap<string, readonly Told[]>,
  tally: Tally,
): void {
  let lost = file.asked.filter((one) => file.isAcceptanceLost(one)).length;
  for (const [id, told] of events) {
    if (file.notes.has(id)) continue;
    lost -= 1;
    if (lost >= 0) tally.exclude();
    else
      tally.expect(
        false,
        () => `Kafka was told of ${id} (${told.at(-1)?.status}), which is no note`,
      );
  }
}
