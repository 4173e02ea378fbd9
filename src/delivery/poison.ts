/** Notes that no worker survives: how they are told from others, and how they end. */
import type { Channel } from "../contract/vocabulary.ts";
import type { Logger } from "../platform/logger.ts";
import { DEATHS_ALONE, DEATHS_TOGETHER } from "../queue/suspects.ts";
import type { Note } from "../tracking/note.ts";
import { isSettled } from "../tracking/status-machine.ts";
import { condemned } from "./note-steps.ts";
import { timesLost } from "./provider-steps.ts";
import type { StageDesk } from "./stage-desk.ts";

/** Ends notes that stand at this stage and attempt as `failed`, for the reason `poison`. */
export type Condemn = (
  stage: Channel,
  items: readonly { readonly id: string; readonly attempt: number }[],
) => Promise<void>;

/**
 * A push that its worker never came back from is told by its note. Twice may be the fault of a
 * neighbour: from then on it has its turn alone.
 */
export function hasWorkersToAnswerFor(note: Note): boolean {
  return timesLost(note, "push") >= DEATHS_TOGETHER;
}

/** Of a note that is found in `sending` once more: it had its turns alone. */
export function isPoisonous(note: Note): boolean {
  return timesLost(note, "push") + 1 >= DEATHS_TOGETHER + DEATHS_ALONE;
}

export interface CondemnationOptions {
  readonly ledger: {
    /** Notes without what they say: to open that may be what nobody survives. */
    fetchUnopened(ids: readonly string[]): Promise<Map<string, Note>>;
  };
  readonly desk: Pick<StageDesk, "apply">;
  readonly clock: { now(): number };
  readonly logger: Logger;
}

export function createCondemnation(options: CondemnationOptions): Condemn {
  const { ledger, desk, clock, logger } = options;
  return async (stage, items) => {
    const notes = await ledger.fetchUnopened(items.map(({ id }) => id));
    const meant = items.flatMap(({ id, attempt }) => {
      const note = notes.get(id);
      if (note === undefined || isSettled(note.status)) return [];
      return note.stage === stage && note.attempt === attempt ? [note] : [];
    });
    const ended = await desk.apply(meant.map((note) => condemned(note, clock.now())));
    for (const note of ended) {
      if (note === undefined) continue;
      const { id, userId, templateId } = note;
      logger.error(
        {
          event: "note.poison",
          notification_id: id,
          user_id: userId,
          template_id: templateId,
          stage,
        },
        "no worker survives this notification; it is put aside",
      );
    }
  };
}
