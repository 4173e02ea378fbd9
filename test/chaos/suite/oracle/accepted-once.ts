/**
 * One key is one notification. Each key was answered with one id, each accepted request has exactly
 * one note, so has each event that the broker took, and there is no note that nobody asked for.
 *
 * Lawful: a request that was never answered may have a note, one at most. Of what was accepted when
 * Redis was taken back, the claim is gone with the note, so that who asks again gets another id: one
 * more, and no third.
 */
import type { Asked, Finding, StatedNote } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";

export function acceptedOnce(file: CaseFile): Finding {
  const tally = startTally("accepted once");
  for (const asked of file.asked) {
    const { key } = asked;
    const shown = file.framedAs(key);
    const ids = new Set([...asked.ids, ...shown]);
    if (file.isAcceptanceLost(asked)) {
      tally.exclude();
      tally.expect(ids.size <= 2, () => `${key} became ${[...ids].join(", ")}`);
      continue;
    }
    tally.expect(
      asked.ids.length <= 1,
      () => `${key} was answered with ${asked.ids.length} ids: ${asked.ids.join(", ")}`,
    );
    // One that was never answered, and shown before Redis was taken back, may be answered with another.
    const most = file.isLost(asked.askedAt, asked.acceptedAt) ? 2 : 1;
    tally.expect(
      ids.size <= most || asked.ids.length > 1,
      () => `${key} was shown as ${[...ids].join(", ")}`,
    );
    const notes = file.notesOf(asked);
    const wanted = asked.acceptedAt === undefined ? Math.min(1, notes.length) : 1;
    // Several ids are told above already.
    tally.expect(notes.length === wanted || asked.ids.length > 1, () => sentence(asked, notes));
  }
  judgeStrangers(file, tally);
  return tally.finding();
}

function sentence({ key, by, ids }: Asked, notes: readonly StatedNote[]): string {
  const which = notes.map(({ notification_id: id }) => id).join(", ");
  const said = ids.length === 0 ? "" : ` (answered: ${ids.join(", ")})`;
  return `${key}, accepted by ${by}, has ${notes.length} notes ${which}${said}`;
}

/** Notes that no answer, event or frame explains: as many as requests without an answer, at most. */
function judgeStrangers(file: CaseFile, tally: ReturnType<typeof startTally>): void {
  const unanswered = new Map<string, number>();
  for (const asked of file.asked) {
    const mayHaveOne = asked.acceptedAt === undefined || file.isAcceptanceLost(asked);
    if (!mayHaveOne || file.notesOf(asked).length > 0) continue;
    unanswered.set(asked.userId, (unanswered.get(asked.userId) ?? 0) + 1);
  }
  for (const note of file.notes.values()) {
    const { notification_id: id, user_id: userId } = note;
    if (file.askedFor(id) !== undefined) {
      tally.expect(file.askedFor(id)?.userId === userId, () => `${id} went to ${userId}`);
      continue;
    }
    const left = unanswered.get(userId) ?? 0;
    unanswered.set(userId, left - 1);
    tally.expect(left > 0, () => `nobody asked for ${id} to ${userId}`);
  }
}
