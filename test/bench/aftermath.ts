/** When a load has ended: waits until all has come and could have come twice, then judges it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Audience } from "./audience.ts";
import { isSound, judge, type Judgement, type Sent } from "./judgement.ts";
import type { Target } from "./target.ts";

/** Without any arrival; what takes longer is lost to the bench. */
const STALL_MS = 20_000;
const POLL_MS = 20;
/** A step that was thought lost is taken up again within 2.5 s; a double would show by then. */
const AFTERMATH_MS = 3_500;
const COUNT_DEADLINE_MS = 20_000;
const COUNT_POLL_MS = 250;

export interface Outcome {
  readonly judgement: Judgement;
  /** Sockets that closed by themselves. */
  readonly dropped: number;
  /** Deliveries and acknowledgements by the product's own count. */
  readonly counted: { readonly delivered: number; readonly confirmed: number } | undefined;
  readonly sound: boolean;
}

/** Resolves when so many have arrived, or when nothing has come for long. */
export async function untilArrived(audience: Audience, count: number): Promise<void> {
  let seen = -1;
  let changedAt = 0;
  while (audience.arrivals.length < count) {
    if (audience.arrivals.length !== seen) {
      seen = audience.arrivals.length;
      changedAt = performance.now();
    }
    if (performance.now() - changedAt > STALL_MS) return;
    await delay(POLL_MS);
  }
}

/** @param options.acks whether all that arrived was acknowledged, and must be counted as confirmed */
export async function awaitOutcome(options: {
  readonly target: Pick<Target, "counted">;
  readonly sent: readonly Sent[];
  readonly audience: Audience;
  readonly acks: boolean;
}): Promise<Outcome> {
  const { target, sent, audience, acks } = options;
  const accepted = sent.filter(({ notificationId }) => notificationId !== undefined).length;
  await untilArrived(audience, accepted);
  await delay(AFTERMATH_MS);
  const judgement = judge(sent, audience.arrivals, audience.positions);
  const { arrived } = judgement;
  const agrees = (counted: Outcome["counted"]): boolean =>
    counted === undefined ||
    (counted.delivered === arrived && (!acks || counted.confirmed === arrived));

  // Books are written after the frame; on a busy machine a moment after.
  const giveUpAt = performance.now() + COUNT_DEADLINE_MS;
  let counted = await target.counted?.();
  while (!agrees(counted) && performance.now() < giveUpAt) {
    await delay(COUNT_POLL_MS);
    counted = await target.counted?.();
  }
  const dropped = audience.dropped();
  return {
    judgement,
    dropped,
    counted,
    sound: isSound(judgement) && dropped === 0 && agrees(counted),
  };
}

/** What became of all, in one sentence or more. */
export function outcomeNotes(name: string, { judgement, dropped, counted }: Outcome): string[] {
  const { accepted, arrived, lost, doubled, strayed, outOfOrder, overtaken, refused } = judgement;
  const own =
    counted === undefined
      ? ""
      : `; its own analytics count ${counted.delivered} delivered, ${counted.confirmed} confirmed`;
  return [
    `${name}: ${accepted} accepted, ${arrived} arrived; ${lost} lost, ${doubled} doubled, ` +
      `${strayed} strayed, ${outOfOrder} out of order, ${overtaken} overtaken, ` +
      `${refused} refused, ${dropped} sockets dropped${own}`,
    ...Object.entries(judgement.refusals).map(
      ([reason, times]) => `  refused ${times} times: ${reason}`,
    ),
  ];
}
