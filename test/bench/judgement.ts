/** Whether everything arrived: once, at the right user, in order. Pure, so that tests can try it. */

/** One `POST /notify`. */
export interface Sent {
  readonly user: number;
  /** When it was due, went out and was answered, on one monotonic clock, in ms. */
  readonly intendedMs: number;
  readonly sentMs: number;
  answeredMs: number;
  /** From the answer 202; undefined if it was refused or there was none. */
  notificationId: string | undefined;
  /** Why it was not accepted. */
  refusal: string | undefined;
}

/** One notification frame on a socket. */
export interface Arrival {
  /** Whose socket. */
  readonly user: number;
  /** Which `Sent` it says it is. */
  readonly index: number;
  readonly notificationId: string;
  readonly replayId: number;
  readonly atMs: number;
}

export interface Judgement {
  readonly accepted: number;
  readonly refused: number;
  readonly arrived: number;
  /** Accepted, but its user's socket never got it. */
  readonly lost: number;
  /** Arrived more than once. */
  readonly doubled: number;
  /** Arrived at somebody else, or is none of those sent. */
  readonly strayed: number;
  /** Replay ids that did not follow the one before on the same socket. */
  readonly outOfOrder: number;
  /** Sent after another to the same user had been accepted, yet given an earlier replay id. */
  readonly overtaken: number;
  /** Each reason for a refusal, and how often. */
  readonly refusals: Readonly<Record<string, number>>;
}

/**
 * @param arrivals in the order they came
 * @param positions each user's last replay id before the first of `arrivals`
 */
export function judge(
  sent: readonly Sent[],
  arrivals: readonly Arrival[],
  positions: readonly number[],
): Judgement {
  const last = [...positions];
  const replayIds = new Map<number, number>();
  const counts = { doubled: 0, strayed: 0, outOfOrder: 0 };
  for (const arrival of arrivals) {
    const origin = sent[arrival.index];
    const own = origin?.user === arrival.user;
    const expectedId = origin?.notificationId ?? arrival.notificationId;
    if (!own || expectedId !== arrival.notificationId) {
      counts.strayed += 1;
      continue;
    }
    if (replayIds.has(arrival.index)) {
      counts.doubled += 1;
      continue;
    }
    replayIds.set(arrival.index, arrival.replayId);
    if (arrival.replayId !== (last[arrival.user] ?? 0) + 1) counts.outOfOrder += 1;
    last[arrival.user] = arrival.replayId;
  }

  const accepted = sent.flatMap(({ notificationId }, index) =>
    notificationId === undefined ? [] : [index],
  );
  const refusals: Record<string, number> = {};
  for (const { refusal } of sent) {
    if (refusal !== undefined) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
  }
  return {
    accepted: accepted.length,
    refused: sent.length - accepted.length,
    arrived: replayIds.size,
    lost: accepted.filter((index) => !replayIds.has(index)).length,
    ...counts,
    overtaken: countOvertaken(sent, replayIds),
    refusals,
  };
}

/**
 * Two requests that were under way together may be numbered either way round; one that was sent
 * after the other's answer may not come first.
 */
function countOvertaken(sent: readonly Sent[], replayIds: ReadonlyMap<number, number>): number {
  const inOrder = [...replayIds]
    .sort(([, a], [, b]) => a - b)
    .flatMap(([index]) => sent[index] ?? []);
  const latestSentMs = new Map<number, number>();
  let overtaken = 0;
  for (const { user, sentMs, answeredMs, notificationId } of inOrder) {
    const latest = latestSentMs.get(user) ?? 0;
    if (notificationId !== undefined && answeredMs < latest) overtaken += 1;
    latestSentMs.set(user, Math.max(latest, sentMs));
  }
  return overtaken;
}

/** What the exit code says. A refused request is no promise broken, but nothing was shown by it. */
export function isSound(judgement: Judgement): boolean {
  const { accepted, refused, lost, doubled, strayed, outOfOrder, overtaken } = judgement;
  return accepted > 0 && refused + lost + doubled + strayed + outOfOrder + overtaken === 0;
}
