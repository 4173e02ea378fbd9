/** One stretch of load at one rate: its times, what it cost, and whether deliveries kept up. */
import { untilArrived } from "./aftermath.ts";
import type { Audience } from "./audience.ts";
import { distributionOf, type Distribution } from "./distribution.ts";
import { eachUs, startMeter } from "./meter.ts";
import type { Load, Sender } from "./sender.ts";
import { judgeRate, type Verdict } from "./sustained.ts";
import type { Target } from "./target.ts";

export interface Stretch extends Load {
  /** From when the request was due to the frame on the socket, in ms. */
  readonly arrival: Distribution;
  /** From when the request was due to its answer, in ms. */
  readonly answer: Distribution;
  /** How late requests got out, in ms: the generator's own part in every time above. */
  readonly late: Distribution;
  /** Processor time by process for each notification, background work included. */
  readonly eachUs: Readonly<Record<string, number>>;
  /** Of all cores: what everything else on this machine took meanwhile. */
  readonly othersShare: number;
  readonly verdict: Verdict;
}

export interface Stage {
  readonly target: Target;
  readonly sender: Sender;
  readonly audience: Audience;
}

/** Sends the load, waits until what was accepted has arrived, and takes the figures. */
export async function measureStretch(stage: Stage, load: Load): Promise<Stretch> {
  const { sender, audience, target } = stage;
  const from = sender.sent.length;
  const firstArrival = audience.arrivals.length;
  const stopMeter = startMeter(target.pids);
  await sender.send(load);
  const sent = sender.sent.slice(from);
  const answered = sent.filter(({ notificationId }) => notificationId !== undefined);
  await untilArrived(audience, firstArrival + answered.length);
  const { cpuMs, othersShare } = stopMeter();

  const arrivedMs = new Map<number, number>();
  for (const { index, atMs } of audience.arrivals.slice(firstArrival)) {
    if (!arrivedMs.has(index)) arrivedMs.set(index, atMs);
  }
  const timings = sent.map(({ intendedMs }, at) => ({
    intendedMs,
    arrivedMs: arrivedMs.get(from + at),
  }));
  const each = Object.entries(cpuMs).map(([name, ms]) => [name, eachUs(ms, sent.length)] as const);
  return {
    ...load,
    arrival: distributionOf(
      timings.flatMap(({ intendedMs, arrivedMs: at }) => (at === undefined ? [] : at - intendedMs)),
    ),
    answer: distributionOf(answered.map(({ answeredMs, intendedMs }) => answeredMs - intendedMs)),
    late: distributionOf(sent.map(({ sentMs, intendedMs }) => sentMs - intendedMs)),
    eachUs: Object.fromEntries(each),
    othersShare,
    verdict: judgeRate(timings),
  };
}
