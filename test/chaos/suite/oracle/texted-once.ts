/**
 * A phone rings once. The provider took at most one text for each key, none for what was cancelled,
 * and none to anybody who may not be texted: who did not ask for it as critical with that number.
 *
 * Lawful: an operator who has an SMS sent again names it. What the provider took when Redis was taken
 * back may be taken again, as nobody knows of it: once.
 */
import type { Asked, Finding, TextTaken } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";
import { channelRedrives } from "./timeline.ts";

export function textedOnce(file: CaseFile): Finding {
  const tally = startTally("texted once");
  const byKey = Map.groupBy(file.texts, ({ key }) => key);
  for (const [key, texts] of byKey) {
    const asked = file.askedByKey.get(key);
    for (const text of texts) tally.expect(mayBeTexted(asked, text), () => whyNot(asked, text));
    // What was begun before is known: it was stored before it was sent.
    const begunAt = Math.min(...texts.map(({ at }) => at));
    const isLost = file.isLost(begunAt) || (asked !== undefined && file.isAcceptanceLost(asked));
    if (isLost) {
      tally.exclude();
      tally.expect(texts.length <= 2, () => `${key} was texted ${texts.length} times`);
      continue;
    }
    const again = (asked === undefined ? [] : file.notesOf(asked))
      .map((note) => channelRedrives(note, "sms"))
      .reduce((sum, count) => sum + count, 0);
    tally.expect(
      texts.length <= 1 + again,
      () => `${key} was texted ${texts.length} times to ${texts[0]?.to}`,
    );
    if (asked === undefined) continue;
    const notes = file.notesOf(asked);
    tally.expect(notes.length > 0, () => `${key} was texted, and is no note`);
    tally.expect(
      notes.every(({ status }) => status !== "cancelled"),
      () => `${key} was texted, and is cancelled`,
    );
  }
  return tally.finding();
}

function mayBeTexted(asked: Asked | undefined, { to }: TextTaken): boolean {
  return asked?.critical === true && asked.phoneNumber === to;
}

function whyNot(asked: Asked | undefined, { key, to }: TextTaken): string {
  if (asked === undefined) return `a text to ${to} names ${key}, which nobody asked for`;
  const number = asked.phoneNumber ?? "no number";
  const kind = asked.critical ? "critical" : "not critical";
  return `${key} was texted to ${to}; it is ${kind}, with ${number}`;
}
