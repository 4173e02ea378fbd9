/** Events to the client's ack: a heap of them at once, then a steady stream. */
import { awaitOutcome, untilArrived, type Outcome } from "./aftermath.ts";
import { seatAudience, type Audience } from "./audience.ts";
import { distributionOf, type Distribution } from "./distribution.ts";
import type { Sent } from "./judgement.ts";
import type { KafkaLoad } from "./kafka-load.ts";
import type { BenchContext } from "./scenarios.ts";
import type { Load } from "./sender.ts";
import { startAckMeter, type AckedStretch } from "./sustained-acks.ts";
import type { Target } from "./target.ts";

/** Until the hot paths are compiled. */
const WARM_UP_EVENTS = 5_000;
/** Of the heap, left when the last of it is on the topic: enough to measure by itself. */
const ENOUGH_LEFT = 0.5;

export interface KafkaCourse {
  readonly target: string;
  readonly stretch: AckedStretch;
  readonly steady: Load & {
    /** From when the event was due on the topic to its frame on the socket, in ms. */
    readonly arrival: Distribution;
  };
  readonly outcome: Outcome;
}

/** The target's sockets are opened, and each event is acknowledged. */
export async function runDelivery(
  target: Target,
  load: KafkaLoad,
  plan: { readonly events: number; readonly steady: Load },
  { resources, announce }: BenchContext,
): Promise<KafkaCourse> {
  const audience = await seatAudience({ ...target, acks: true });
  resources.add("sockets", () => audience.close());
  await load.pour(WARM_UP_EVENTS);
  await untilArrived(audience, load.dueMs.length);

  announce(`${target.name}: ${plan.events} events at once, until each is acknowledged`);
  const stretch = await measureHeap(target, audience, load, plan.events);

  const { rate, seconds } = plan.steady;
  announce(`${target.name}: ${rate} events a second for ${seconds} s`);
  const first = load.dueMs.length;
  await load.drip(plan.steady);
  await untilArrived(audience, load.dueMs.length);
  const times = audience.arrivals
    .filter(({ index }) => index >= first)
    .map(({ index, atMs }) => atMs - (load.dueMs[index] ?? Number.NaN));
  const sent = sentOf(load, audience);
  const outcome = await awaitOutcome({ target, sent, audience, acks: true });
  audience.close();
  const steady = { ...plan.steady, arrival: distributionOf(times) };
  return { target: target.name, stretch, steady, outcome };
}

/**
 * The rate runs from when the last of the heap is on the topic, so that making it is no part of it;
 * or from the first, where most of it has come by then. Until all of it is acknowledged.
 */
async function measureHeap(
  target: Target,
  audience: Audience,
  load: KafkaLoad,
  events: number,
): Promise<AckedStretch> {
  const stopWhole = startAckMeter(target, audience);
  await load.pour(events);
  const stopRest = startAckMeter(target, audience);
  const left = load.dueMs.length - audience.acknowledged();
  await untilArrived(audience, load.dueMs.length);
  const [whole, rest] = [stopWhole(), stopRest()];
  // Reading runs ahead of delivering: only over the whole does each event have all its cost in it.
  return left > events * ENOUGH_LEFT ? { ...rest, eachUs: whole.eachUs } : whole;
}

/**
 * In the words of the judgement, each event is answered before the next is sent: so one that is
 * shown before an earlier one of the same user counts as having overtaken it.
 */
function sentOf(load: KafkaLoad, { arrivals }: Audience): Sent[] {
  const ids = new Map(arrivals.map(({ index, notificationId }) => [index, notificationId]));
  return load.dueMs.map((_, index) => ({
    user: load.userOf(index),
    intendedMs: index,
    sentMs: index,
    answeredMs: index + 0.5,
    notificationId: ids.get(index) ?? "none",
    refusal: undefined,
  }));
}
