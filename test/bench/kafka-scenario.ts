/** The course of the Kafka scenario on one target: what it takes to read, and to reach a socket. */
import { setTimeout as delay } from "node:timers/promises";
import type { Resources } from "../../src/platform/resources.ts";
import type { BenchOptions } from "./arguments.ts";
import { seatAudience, type Audience } from "./audience.ts";
import { distributionOf, type Distribution } from "./distribution.ts";
import { judge, type Judgement, type Sent } from "./judgement.ts";
import type { KafkaLoad } from "./kafka-load.ts";
import type { KafkaTarget } from "./kafka-targets.ts";
import { cores, machineCpuMs, processCpuMs } from "./machine.ts";

/** How fast a heap of events was worked off, and what each took of a processor. */
export interface Drain {
  readonly records: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** In microseconds. */
  readonly serverUs: number;
  readonly redisUs: number | undefined;
  /** Of all cores: what everything else took meanwhile, the broker and the sockets' ends included. */
  readonly othersShare: number;
}

export interface SocketCourse {
  readonly drain: Drain;
  /** From when the event was due on the topic to its frame on the socket, in ms. */
  readonly arrival: Distribution;
  readonly rate: number;
  readonly seconds: number;
  readonly judgement: Judgement;
  readonly dropped: number;
}

const POLL_MS = 10;
/** Without any event dealt with. */
const STALL_MS = 60_000;
/** Until the hot paths are compiled. */
const WARM_UP_RECORDS = 2_000;
/** A step that was thought lost is taken up again within 2.5 s; a double would show by then. */
const AFTERMATH_MS = 3_500;

/** Reads what lies on the topic already; the time runs from the first event dealt with. */
export async function drainIngest(target: KafkaTarget, records: number): Promise<Drain> {
  const first = await untilTaken(target, 1);
  const stop = startMeter(target);
  const last = await untilTaken(target, records);
  return stop(last - first);
}

async function untilTaken(target: KafkaTarget, count: number): Promise<number> {
  return await untilCount(() => target.taken(), count);
}

/** Sockets open, then a heap of events at once, then a steady stream of them. */
export async function runSocketCourse(
  target: KafkaTarget,
  load: KafkaLoad,
  options: BenchOptions & { readonly users: readonly string[] },
  resources: Resources,
): Promise<SocketCourse> {
  const { users, rate, seconds, records } = options;
  const audience = await seatAudience(await target.addresses(users));
  resources.add("sockets", () => audience.close());
  const arrived = (): Promise<number> => Promise.resolve(audience.arrivals.length);

  const heap = Math.max(WARM_UP_RECORDS, Math.floor(records / 4));
  await load.pour(WARM_UP_RECORDS);
  await untilCount(arrived, load.dueMs.length);
  const stop = startMeter(target);
  await load.pour(heap);
  await untilCount(arrived, load.dueMs.length);
  const drain = stop(heap);

  const firstDripped = load.dueMs.length;
  await load.drip({ rate, seconds });
  await untilCount(arrived, load.dueMs.length);
  await delay(AFTERMATH_MS);
  audience.close();
  const times = audience.arrivals
    .filter(({ index }) => index >= firstDripped)
    .map(({ index, atMs }) => atMs - (load.dueMs[index] ?? Number.NaN));
  const judgement = judge(sentOf(load, audience), audience.arrivals, audience.positions);
  const dropped = audience.dropped();
  return { drain, arrival: distributionOf(times), rate, seconds, judgement, dropped };
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

async function untilCount(read: () => Promise<number>, count: number): Promise<number> {
  let seen = 0;
  let changedAt = performance.now();
  for (;;) {
    const now = await read();
    if (now >= count) return now;
    if (now !== seen) changedAt = performance.now();
    seen = now;
    if (performance.now() - changedAt > STALL_MS) {
      throw new Error(`only ${now} of ${count} events were dealt with`);
    }
    await delay(POLL_MS);
  }
}

function startMeter({ serverPid, redisPid }: KafkaTarget): (records: number) => Drain {
  const read = () => ({
    atMs: performance.now(),
    server: processCpuMs(serverPid),
    redis: redisPid === undefined ? 0 : processCpuMs(redisPid),
    own: processCpuMs(process.pid),
    machine: machineCpuMs(),
  });
  const before = read();
  return (records) => {
    const after = read();
    const elapsedMs = after.atMs - before.atMs;
    const used = (part: "server" | "redis" | "own" | "machine"): number =>
      after[part] - before[part];
    const ours = used("server") + used("redis") + used("own");
    const eachUs = (ms: number): number => (ms * 1_000) / Math.max(1, records);
    return {
      records,
      seconds: elapsedMs / 1_000,
      perSecond: (records * 1_000) / elapsedMs,
      serverUs: eachUs(used("server")),
      redisUs: redisPid === undefined ? undefined : eachUs(used("redis")),
      othersShare: Math.max(0, used("machine") - ours) / elapsedMs / cores,
    };
  };
}
