/** What the push and the SMS stage share: take in hand before sending, and try again or close after. */
import type { Reason } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import { nextLookAt, nextTryAt } from "../queue/retry-policy.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note, PushOutcomes } from "../tracking/note.ts";
import { claim, hold, tryAgain } from "./provider-steps.ts";
import type { Job, StageDesk } from "./stage-desk.ts";

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

/** The number that an SMS would go to, as somebody stated it. */
export function phoneNumberOf({ note, preferences }: Job): string | undefined {
  return note.request?.phone_number ?? preferences.phone_number;
}

/** A note that was scheduled has its first stage from the start, and could not begin it. */
export function startOf(note: Note): number {
  return Math.max(note.stageStartedAt, note.sendAt ?? 0);
}

/** How long a stage may be patient. */
export interface Patience {
  /** Another channel may reach the person when this one ends. */
  readonly hasNext: boolean;
  /**
   * How long this stage may go on failing before that is tried, ms; undefined for no limit of its own.
   * Where there is no other, what is pressing must not be given up any sooner than what is not.
   */
  readonly budgetMs: number | undefined;
}

const limitOf = ({ hasNext, budgetMs }: Patience): number | undefined =>
  hasNext ? budgetMs : undefined;

/**
 * The change where the provider may not be asked now, or failed when it was probed: another look
 * later, which costs no try, or the end of this channel.
 */
export function holdOrFail(
  options: ProviderStageOptions,
  note: Note,
  channel: "push" | "sms",
  held: Patience & {
    /** Not before, epoch ms. */
    readonly until: number;
    readonly askedMs?: number | undefined;
    readonly pushOutcomes?: PushOutcomes;
  },
): NoteChange {
  const now = options.clock.now();
  const at = nextLookAt({
    now,
    stageStartedAt: startOf(note),
    until: held.until,
    askedMs: held.askedMs,
    hasNext: held.hasNext,
    budgetMs: limitOf(held),
    random: options.random(),
  });
  const { pushOutcomes } = held;
  if (at !== undefined) return hold(note, channel, { until: at, now, pushOutcomes });
  const extra = pushOutcomes === undefined ? {} : { pushOutcomes };
  return options.desk.closeChannel(note, channel, "failed", "provider_error", extra);
}

/** The change after a failure that may pass: another try, or the end of this channel. */
export function retryOrFail(
  options: ProviderStageOptions,
  note: Note,
  channel: "push" | "sms",
  failure: Patience & {
    readonly askedMs: number | undefined;
    readonly pushOutcomes?: PushOutcomes;
    readonly reason?: Reason;
    /** Its worker never came back: nobody knows what came of the try. */
    readonly workerLost?: boolean;
  },
): NoteChange {
  const now = options.clock.now();
  const at = nextTryAt({
    stage: channel,
    attempts: note.attempt + 1,
    now,
    stageStartedAt: startOf(note),
    budgetMs: limitOf(failure),
    askedMs: failure.askedMs,
    hasNext: failure.hasNext,
    random: options.random(),
  });
  if (at !== undefined) {
    const { pushOutcomes, workerLost } = failure;
    return tryAgain(note, channel, { at, now, pushOutcomes, workerLost });
  }
  const extra = failure.pushOutcomes === undefined ? {} : { pushOutcomes: failure.pushOutcomes };
  return options.desk.closeChannel(
    note,
    channel,
    "failed",
    failure.reason ?? "provider_error",
    extra,
  );
}
