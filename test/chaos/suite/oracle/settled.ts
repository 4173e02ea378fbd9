/**
 * Nothing is left half done. Each note has come to an end, with no channel still to be tried, and the
 * due index is empty. A note that has not ended and is not due would wait for ever.
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
  const { unsettled } = file.statement;
  tally.expect(unsettled === 0, () => `${unsettled} entries are left in the due index`);
  return tally.finding();
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
