/** When a provider that failed is tried again, and when it is enough. Pure: the caller gives the dice. */
import type { Channel } from "../contract/vocabulary.ts";

/** Tries per stage. A push service is asked for about a minute, an SMS provider for half of one. */
const MAX_ATTEMPTS: Readonly<Record<Channel, number>> = { websocket: 1, push: 6, sms: 5 };

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
/** A provider may ask for longer; no longer than this, or nobody would be told in time. */
const MAX_ASKED_DELAY_MS = 300_000;

/** Delay before the next try: exponential with full jitter above half, or what the provider asked for. */
export function backoffMs(attempt: number, random: number, askedMs?: number): number {
  const ceiling = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt, 16), MAX_DELAY_MS);
  const delay = Math.round(ceiling * (0.5 + random / 2));
  return askedMs === undefined ? delay : Math.min(Math.max(askedMs, delay), MAX_ASKED_DELAY_MS);
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
  /** 0 to 1. */
  readonly random: number;
}

/** Epoch ms of the next try, or undefined if the stage has had its chances. */
export function nextTryAt(question: RetryQuestion): number | undefined {
  if (question.attempts >= MAX_ATTEMPTS[question.stage]) return undefined;
  const at = question.now + backoffMs(question.attempts - 1, question.random, question.askedMs);
  if (question.budgetMs !== undefined && at > question.stageStartedAt + question.budgetMs) {
    return undefined;
  }
  return at;
}
