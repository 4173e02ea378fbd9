/** One stretch of load at one rate: its times, and what it cost in processor time. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Audience } from "./audience.ts";
import { distributionOf, type Distribution } from "./distribution.ts";
import { cores, machineCpuMs, processCpuMs } from "./machine.ts";
import type { Sender } from "./sender.ts";
import type { Target } from "./targets.ts";

/** After the last answer; a message that takes longer is lost to the bench. */
const ARRIVAL_DEADLINE_MS = 20_000;
const ARRIVAL_POLL_MS = 20;
/** The histogram is fed by a timer of this length, which is part of each of its values. */
const LOOP_TIMER_MS = 1;
const NANOSECONDS_PER_MS = 1e6;

/** Processor time; shares are of one core. */
export interface Cost {
  readonly serverShare: number;
  readonly redisShare: number | undefined;
  readonly generatorShare: number;
  /** Of all cores: what everything else on this machine took meanwhile. */
  readonly othersShare: number;
}

export interface Stretch {
  readonly rate: number;
  readonly seconds: number;
  /** From when the request was due to the frame on the socket, in ms. */
  readonly arrival: Distribution;
  /** From when the request was due to its answer, in ms. */
  readonly answer: Distribution;
  readonly cost: Cost;
  /** Processor time for each notification, in microseconds, background work included. */
  readonly serverUs: number;
  readonly redisUs: number | undefined;
  readonly generator: {
    /** How late requests got out, in ms: the generator's own part in every time above. */
    readonly lag: Distribution;
    readonly loopDelayP99Ms: number;
    readonly loopDelayMaxMs: number;
  };
}

export interface Bench {
  readonly target: Target;
  readonly sender: Sender;
  readonly audience: Audience;
}

/** Sends the load, waits until what was accepted has arrived, and takes the figures. */
export async function measureStretch(
  bench: Bench,
  load: { readonly rate: number; readonly seconds: number },
): Promise<Stretch> {
  const { sender, audience, target } = bench;
  const from = sender.sent.length;
  const firstArrival = audience.arrivals.length;
  const loopDelay = monitorEventLoopDelay({ resolution: LOOP_TIMER_MS });
  const stopMeter = startMeter(target);
  loopDelay.enable();
  await sender.send(load);
  await untilArrived(bench, from, firstArrival);
  loopDelay.disable();
  const cost = stopMeter();

  const sent = sender.sent.slice(from);
  const seen = new Set<number>();
  const times: number[] = [];
  for (const { index, atMs } of audience.arrivals.slice(firstArrival)) {
    const origin = sent[index - from];
    if (origin === undefined || seen.has(index)) continue;
    seen.add(index);
    times.push(atMs - origin.intendedMs);
  }
  const perNotificationUs = (share: number): number =>
    (share * cost.elapsedMs * 1_000) / Math.max(1, sent.length);
  const answered = sent.filter(({ notificationId }) => notificationId !== undefined);
  const delayMs = (value: number): number =>
    Math.max(0, value / NANOSECONDS_PER_MS - LOOP_TIMER_MS);
  return {
    ...load,
    arrival: distributionOf(times),
    answer: distributionOf(answered.map(({ answeredMs, intendedMs }) => answeredMs - intendedMs)),
    cost: cost.shares,
    serverUs: perNotificationUs(cost.shares.serverShare),
    redisUs:
      cost.shares.redisShare === undefined ? undefined : perNotificationUs(cost.shares.redisShare),
    generator: {
      lag: distributionOf(sent.map(({ sentMs, intendedMs }) => sentMs - intendedMs)),
      loopDelayP99Ms: delayMs(loopDelay.percentile(99)),
      loopDelayMaxMs: delayMs(loopDelay.max),
    },
  };
}

/** What the server and its Redis take with the sockets open and nothing sent. */
export async function measureIdle(target: Target, milliseconds: number): Promise<Cost> {
  const stopMeter = startMeter(target);
  await delay(milliseconds);
  return stopMeter().shares;
}

async function untilArrived(
  { sender, audience }: Bench,
  from: number,
  firstArrival: number,
): Promise<void> {
  const accepted = sender.sent.slice(from).filter((entry) => entry.notificationId !== undefined);
  const giveUpAt = performance.now() + ARRIVAL_DEADLINE_MS;
  while (
    audience.arrivals.length - firstArrival < accepted.length &&
    performance.now() < giveUpAt
  ) {
    await delay(ARRIVAL_POLL_MS);
  }
}

function startMeter({ serverPid, redisPid }: Target) {
  const read = () => ({
    atMs: performance.now(),
    server: processCpuMs(serverPid),
    redis: redisPid === undefined ? 0 : processCpuMs(redisPid),
    generator: processCpuMs(process.pid),
    machine: machineCpuMs(),
  });
  const before = read();
  return (): { elapsedMs: number; shares: Cost } => {
    const after = read();
    const elapsedMs = after.atMs - before.atMs;
    const used = (part: "server" | "redis" | "generator" | "machine"): number =>
      (after[part] - before[part]) / elapsedMs;
    const ours = used("server") + used("redis") + used("generator");
    return {
      elapsedMs,
      shares: {
        serverShare: used("server"),
        redisShare: redisPid === undefined ? undefined : used("redis"),
        generatorShare: used("generator"),
        othersShare: Math.max(0, (used("machine") - ours) / cores),
      },
    };
  };
}
