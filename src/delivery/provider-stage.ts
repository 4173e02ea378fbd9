/** What the push and the SMS stage share: take in hand before sending, and try again or close after. */
import type { Reason } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import { nextTryAt } from "../queue/retry-policy.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note, PushOutcomes } from "../tracking/note.ts";
import { claim, tryAgain } from "./note-steps.ts";
import type { StageDesk } from "./stage-desk.ts";

export interface ProviderStageOptions {
  readonly desk: StageDesk;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** 0 to 1; spreads retries. */
  readonly random: () => number;
}

/** Claims a note. Undefined if another worker has it: then nothing may be sent. */
export async function takeInHand(
  options: ProviderStageOptions,
  note: Note,
  channel: "push" | "sms",
): Promise<Note | undefined> {
  const [claimed] = await options.desk.apply([
    claim(note, channel, options.clock.now(), options.leaseMs),
  ]);
  return claimed;
}

/** The change after a failure that may pass: another try, or the end of this channel. */
export function retryOrFail(
  options: ProviderStageOptions,
  note: Note,
  channel: "push" | "sms",
  failure: {
    readonly askedMs: number | undefined;
    readonly budgetMs: number | undefined;
    readonly pushOutcomes?: PushOutcomes;
    readonly reason?: Reason;
  },
): NoteChange {
  const now = options.clock.now();
  const at = nextTryAt({
    stage: channel,
    attempts: note.attempt + 1,
    now,
    stageStartedAt: note.stageStartedAt,
    budgetMs: failure.budgetMs,
    askedMs: failure.askedMs,
    random: options.random(),
  });
  if (at !== undefined) return tryAgain(note, channel, at, now, failure.pushOutcomes);
  const extra = failure.pushOutcomes === undefined ? {} : { pushOutcomes: failure.pushOutcomes };
  return options.desk.closeChannel(
    note,
    channel,
    "failed",
    failure.reason ?? "provider_error",
    extra,
  );
}
