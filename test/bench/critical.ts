/** Scenario `critical`: what is critical goes first, however much that can wait is waiting. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { untilArrived } from "./aftermath.ts";
import { seatAudience, type Audience } from "./audience.ts";
import { criticalNotes, criticalTable } from "./critical-report.ts";
import { createCriticalSender, type CriticalSender } from "./critical-sender.ts";
import { distributionOf, type Distribution } from "./distribution.ts";
import { judge, type Judgement, type Sent } from "./judgement.ts";
import { usersOf } from "./load.ts";
import { unsettledCount, untilSettled } from "./memory-ledger.ts";
import { fillByBulk } from "./replay-fill.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

const USERS = 500;
/** So many have to wait when the measuring begins. */
const QUEUED = 100_000;
/** What the worker takes away while it warms up is made up for. */
const FILL = 140_000;
const FIELDS = '"priority":"low"';
/** Critical ones a second. */
const RATE = 50;
const WARM_UP_MS = 1_500;
const UNLOADED_MS = 10_000;
const LOADED_MS = 15_000;
/** The measuring ends while at least so many low ones are still to come. */
const MIN_REMAINING = 10_000;
/** And so many have to wait still when the last of those measured has come. */
const QUEUED_AFTER = 1_000;
/** A second copy would show by then. */
const AFTERMATH_MS = 3_500;
const COUNT_DEADLINE_MS = 20_000;
const COUNT_POLL_MS = 250;
const ARRIVAL_DEADLINE_MS = 20_000;
const ARRIVAL_POLL_MS = 20;

export interface Window {
  /** From when it was due to its frame, in ms. */
  readonly arrival: Distribution;
  /** Unsettled when the first of the window was due, and when the last of it had come. */
  readonly queued: readonly [start: number, end: number];
  readonly elapsedMs: number;
  /** Low ones that came within the window. */
  readonly drained: number;
}

export interface CriticalFigures {
  readonly unloaded: Window;
  readonly loaded: Window;
  readonly judgement: Judgement;
  /** Sent after another low one of the same user was accepted, yet numbered before it. */
  readonly overtaken: number;
  readonly counted: number;
  readonly dropped: number;
}

export async function runCritical(context: BenchContext): Promise<ScenarioResult> {
  const figures = await measure(context);
  const { unloaded, loaded, judgement, counted, dropped, overtaken } = figures;
  const { accepted, refused, arrived, lost, doubled, strayed, outOfOrder } = judgement;
  const whole = refused + lost + doubled + strayed + outOfOrder + overtaken + dropped === 0;
  const behind =
    loaded.queued[0] >= QUEUED && loaded.queued[1] >= QUEUED_AFTER && loaded.arrival.count > 0;
  const more = loaded.arrival.p99 - unloaded.arrival.p99;
  return {
    tables: [criticalTable(figures)],
    figures,
    measured: {
      critical: `${unloaded.arrival.p99.toFixed(1)} ms ${more < 0 ? "-" : "+"} ${Math.abs(more).toFixed(1)} ms`,
    },
    sound: whole && behind && accepted > 0 && counted === arrived,
    notes: criticalNotes(figures, behind),
  };
}

async function measure(context: BenchContext): Promise<CriticalFigures> {
  const redis = await context.startRedis("redis");
  // Two products in name, one in fact: the worker is a process that can be away.
  const env = { DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  const startWorker = () => context.startProduct({ name: "worker", roles: ["worker"], redis, env });
  const front = await context.startProduct({
    name: "front",
    roles: ["api", "gateway"],
    redis,
    env,
  });
  const users = usersOf(context.options.sockets ?? USERS);
  const addresses = await Promise.all(users.map((user) => front.socketAddress(user)));
  const audience = await seatAudience({ addresses });
  context.resources.add("sockets", () => audience.close());
  const door = { url: front.apiUrl, token: front.token, users };
  const sender = createCriticalSender({ ...door, from: FILL });
  context.resources.add("sender", () => sender.close());
  const stage = { sender, audience, unsettled: () => unsettledCount(redis.client) };

  const idle = await startWorker();
  context.announce(`${RATE} critical ones a second with nothing else to do`);
  await sendFor(sender, WARM_UP_MS);
  const unloaded = await measureWindow(stage, () => true, UNLOADED_MS);
  await untilSettled(redis.client);
  await idle.stop();

  context.announce(`${FILL} low ones while the worker is away`);
  const low = await fillByBulk({ ...door, count: FILL, fields: FIELDS });
  const worker = await startWorker();
  context.announce(`${RATE} critical ones a second before them`);
  await sendFor(sender, WARM_UP_MS);
  // Critical ones are so few that they need not be taken out.
  const remain = (): boolean => audience.arrivals.length < FILL - MIN_REMAINING;
  const loaded = await measureWindow(stage, remain, LOADED_MS);

  const sent = [...low, ...sender.sent];
  await untilArrived(audience, sent.length);
  await delay(AFTERMATH_MS);
  const judgement = judge(sent, audience.arrivals, audience.positions);
  const counted = await countOf(front, judgement.arrived);
  const { overtaken } = judge(low, audience.arrivals.filter(isLow), audience.positions);
  const dropped = audience.dropped();
  audience.close();
  sender.close();
  await worker.stop();
  await front.stop();
  await redis.stop();
  return { unloaded, loaded, judgement, overtaken, counted, dropped };
}

const isLow = ({ index }: { readonly index: number }): boolean => index < FILL;

async function sendFor(sender: CriticalSender, milliseconds: number): Promise<void> {
  const endMs = performance.now() + milliseconds;
  await sender.send(RATE, () => performance.now() < endMs);
}

/** Sends until the time is over or `goOn` says no, and waits for what was sent. */
async function measureWindow(
  stage: {
    readonly sender: CriticalSender;
    readonly audience: Audience;
    readonly unsettled: () => Promise<number>;
  },
  goOn: () => boolean,
  milliseconds: number,
): Promise<Window> {
  const { sender, audience, unsettled } = stage;
  const first = sender.sent.length;
  const firstArrival = audience.arrivals.length;
  const before = await unsettled();
  const startMs = performance.now();
  const endMs = startMs + milliseconds;
  await sender.send(RATE, () => performance.now() < endMs && goOn());
  const elapsedMs = performance.now() - startMs;
  const drained = audience.arrivals.slice(firstArrival).filter(isLow).length;
  const sent = sender.sent.slice(first);
  const times = await arrivalTimes(audience, sent, FILL + first);
  const after = await unsettled();
  return { arrival: distributionOf(times), queued: [before, after], elapsedMs, drained };
}

/** One that does not come in time is left to the judgement over all. */
async function arrivalTimes(
  audience: Audience,
  sent: readonly Sent[],
  from: number,
): Promise<number[]> {
  const found = new Map<number, number>();
  const giveUpAt = performance.now() + ARRIVAL_DEADLINE_MS;
  let seen = 0;
  while (found.size < sent.length && performance.now() < giveUpAt) {
    for (; seen < audience.arrivals.length; seen += 1) {
      const arrival = audience.arrivals[seen];
      const origin = arrival === undefined ? undefined : sent[arrival.index - from];
      if (arrival === undefined || origin === undefined || found.has(arrival.index)) continue;
      found.set(arrival.index, arrival.atMs - origin.intendedMs);
    }
    await delay(ARRIVAL_POLL_MS);
  }
  return [...found.values()];
}

/** Books are written after the frame; on a busy machine a moment after. */
async function countOf(
  product: { counted(): Promise<{ readonly delivered: number }> },
  expected: number,
): Promise<number> {
  const giveUpAt = performance.now() + COUNT_DEADLINE_MS;
  let { delivered } = await product.counted();
  while (delivered < expected && performance.now() < giveUpAt) {
    await delay(COUNT_POLL_MS);
    ({ delivered } = await product.counted());
  }
  return delivered;
}
