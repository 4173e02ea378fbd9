/** When a provider that failed is tried again, and when it is enough. Pure: the caller gives the dice. */
import type { Channel } from "../contract/vocabulary.ts";

/** Tries per stage. A push service is asked for about a minute, an SMS provider for half of one. */
const MAX_ATTEMPTS: Readonly<Record<Channel, number>> = { websocket: 1, push: 6, sms: 5 };

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
/**
 * Delay before the next try: exponential with full jitter above half; never less than what the provider
 * asked for, which is read as an hour at most (`channels/retry-after.ts`).
 */
export function backoffMs(attempt: number, random: number, askedMs?: number): number {
  const ceiling = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt, 16), MAX_DELAY_MS);
  const delay = Math.round(ceiling * (0.5 + random / 2));
  return Math.max(askedMs ?? 0, delay);
}

export interface RetryQuestion {
  readonly stage: Channel;
  /** Tries made, this one included. */
  readonly attempts: number;
  readonly now: number;
  readonly stageStartedAt: number;
  /** How long this stage may go on failing, ms; undefined for as long as there are tries. */
  readonly budgetMs: number | undefined;
  readonly askedMs: number | undefined;
  /** Another channel is tried when this one ends: sooner than a provider that wants a long pause. */
  readonly hasNext: boolean;
  /** 0 to 1. */
  readonly random: number;
}

/** Epoch ms of the next try, or undefined if the stage has had its chances. */
export function nextTryAt(question: RetryQuestion): number | undefined {
  if (question.attempts >= MAX_ATTEMPTS[question.stage]) return undefined;
  if (question.hasNext && (question.askedMs ?? 0) > MAX_HOLD_BEFORE_NEXT_MS) return undefined;
  const at = question.now + backoffMs(question.attempts - 1, question.random, question.askedMs);
  if (question.budgetMs !== undefined && at > question.stageStartedAt + question.budgetMs) {
    return undefined;
  }
  return at;
}

/**
 * How long a stage waits for a provider that nobody may ask for now. Where another channel is left, no
 * longer than its tries would have taken; the last one waits, as what comes late is better than never.
 */
const MAX_HOLD_MS = 1_800_000;
const MAX_HOLD_BEFORE_NEXT_MS = 60_000;

/** Looks are spread over half the time that was waited already: all at once would be a herd. */
const MIN_SPREAD_MS = 1_000;
const MAX_SPREAD_MS = 120_000;

export interface HoldQuestion {
  readonly now: number;
  readonly stageStartedAt: number;
  /** Not asked before, epoch ms. */
  readonly until: number;
  /** How long the provider asked to wait when it was probed, ms. */
  readonly askedMs: number | undefined;
  /** Another channel is tried when this one ends. */
  readonly hasNext: boolean;
  /** How long this stage may go on failing, ms; undefined for no limit of its own. */
  readonly budgetMs: number | undefined;
  /** 0 to 1. */
  readonly random: number;
}

/**
 * Epoch ms of the next look at a note that was not tried, or undefined if it has waited enough. It is
 * not a try: those that are left are for a provider that is asked.
 */
export function nextLookAt(question: HoldQuestion): number | undefined {
  const { now, stageStartedAt, until, hasNext, askedMs = 0 } = question;
  const { budgetMs = Number.POSITIVE_INFINITY } = question;
  const patienceMs = Math.min(budgetMs, hasNext ? MAX_HOLD_BEFORE_NEXT_MS : MAX_HOLD_MS);
  const end = stageStartedAt + patienceMs;
  const earliest = Math.max(until, now + askedMs);
  if (earliest >= end) return undefined;
  const spread = Math.min(Math.max((now - stageStartedAt) / 2, MIN_SPREAD_MS), MAX_SPREAD_MS);
  return Math.min(earliest + Math.round(spread * question.random), end);
}
