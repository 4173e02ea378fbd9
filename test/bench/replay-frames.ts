/** The frames of the baseline: of the product's size, each with what the judgement looks for. */
import type { Sent } from "./judgement.ts";
import { CORRELATION_PREFIX } from "./frame-scan.ts";

const ID_DIGITS = 32;

/** Users in turn, as the product was filled: the first message of each, then the second. */
export const indexOf = (user: number, replayId: number, users: number): number =>
  (replayId - 1) * users + user;

export const baselineIdOf = (index: number): string => index.toString(16).padStart(ID_DIGITS, "0");

/** @param bytes how long it is to be; it is longer only if its own fields need more */
export function baselineFrame(index: number, replayId: number, bytes: number): string {
  const head =
    `{"replay_id":"${replayId}","notification_id":"${baselineIdOf(index)}",` +
    `"correlation_id":"${CORRELATION_PREFIX}${index}","body":"`;
  const tail = '"}';
  return head + "x".repeat(Math.max(0, bytes - head.length - tail.length)) + tail;
}

/** What a baseline "sent" that has these frames for each user from its start. */
export function baselineSent(users: number, each: number): Sent[] {
  return Array.from({ length: users * each }, (_, index) => ({
    user: index % users,
    intendedMs: 0,
    sentMs: 0,
    answeredMs: 0,
    notificationId: baselineIdOf(index),
    refusal: undefined,
  }));
}
