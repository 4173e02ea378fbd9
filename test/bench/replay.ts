/** Scenario `replay`: everybody's connection was cut, and all come back at once for what they missed. */
import { setTimeout as delay } from "node:timers/promises";
import { distributionOf, type Distribution } from "./distribution.ts";
import { judge, type Judgement, type Sent } from "./judgement.ts";
import { usersOf } from "./load.ts";
import { untilSettled } from "./memory-ledger.ts";
import { eachUs, startMeter } from "./meter.ts";
import type { Product } from "./product.ts";
import { comeBack, type Crowd } from "./replay-crowd.ts";
import { fillByBulk } from "./replay-fill.ts";
import { baselineSent } from "./replay-frames.ts";
import { replayNotes, replayTable } from "./replay-report.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { formatRatio } from "./table.ts";

const USERS = 2_000;
/** A full history. */
const EACH = 100;
/** Nobody is there, so that nothing but the history can bring it; no other channel is tried. */
const FIELDS = '"channels":["websocket"]';
/** A second copy would show by then. */
const AFTERMATH_MS = 1_500;
const COUNT_DEADLINE_MS = 30_000;
const COUNT_POLL_MS = 250;

export interface ReplayFigures {
  readonly name: string;
  readonly users: number;
  readonly frames: number;
  /** From the first opening to the last frame of all, in ms. */
  readonly elapsedMs: number;
  /** The same for each user's own last frame. */
  readonly completed: Distribution;
  /** Processor time by process for each frame, in microseconds. */
  readonly eachUs: Readonly<Record<string, number>>;
  readonly othersShare: number;
  readonly frameBytes: number;
  readonly judgement: Judgement;
  /** How often one was told of a gap. */
  readonly gaps: number;
  /** How often one was closed, and came back for the rest. */
  readonly reopened: number;
}

export async function runReplay(context: BenchContext): Promise<ScenarioResult> {
  const users = usersOf(context.options.sockets ?? USERS);
  const { product, counted } = await measureProduct(context, users);
  const baseline = await measureBaseline(context, users, Math.round(product.frameBytes));
  const ratio = formatRatio(product.elapsedMs, baseline.elapsedMs);
  const whole = (figures: ReplayFigures): boolean =>
    isWhole(figures.judgement) && figures.gaps === 0;
  const complete = whole(product) ? "complete, in order" : "NOT complete or not in order";
  return {
    tables: [replayTable(baseline, product)],
    figures: { baseline, product, counted },
    measured: { reconnect: `${complete}, ${(product.elapsedMs / 1_000).toFixed(2)} s, ${ratio}` },
    sound: whole(baseline) && whole(product) && counted === product.frames,
    notes: [
      ...[baseline, product].flatMap(replayNotes),
      `The product's own analytics count ${counted} of them as delivered.`,
    ],
  };
}

/** How the messages were numbered belongs to those who sent them; here it is about who gets them. */
function isWhole({ accepted, lost, doubled, strayed, outOfOrder }: Judgement): boolean {
  return accepted > 0 && lost + doubled + strayed + outOfOrder === 0;
}

async function measureProduct(context: BenchContext, users: readonly string[]) {
  const redis = await context.startRedis("redis");
  const product = await context.startProduct({
    name: "product",
    roles: ["gateway", "api,worker"],
    redis,
  });
  const frames = users.length * EACH;
  context.announce(`product: ${frames} messages to ${users.length} users who are away`);
  const { apiUrl: url, token } = product;
  const sent = await fillByBulk({ url, token, users, count: frames, fields: FIELDS });
  await untilSettled(redis.client);
  const addresses = await Promise.all(users.map((user) => product.socketAddress(user)));
  const pids = Object.fromEntries(product.processes.map(({ roles, pid }) => [roles, pid]));
  const figures = await measure(context, {
    name: "product",
    sent,
    addresses,
    pids: { ...pids, redis: redis.pid },
  });
  const counted = await countOf(product, figures.judgement.arrived);
  await product.stop();
  await redis.stop();
  return { product: figures, counted };
}

/** Books are written after the frame; what a replay brought counts as delivered late. */
async function countOf(product: Product, expected: number): Promise<number> {
  const giveUpAt = performance.now() + COUNT_DEADLINE_MS;
  let { delivered } = await product.counted();
  while (delivered < expected && performance.now() < giveUpAt) {
    await delay(COUNT_POLL_MS);
    ({ delivered } = await product.counted());
  }
  return delivered;
}

async function measureBaseline(
  context: BenchContext,
  users: readonly string[],
  frameBytes: number,
): Promise<ReplayFigures> {
  const server = await context.startServer({
    file: "test/bench/replay-baseline-server.ts",
    env: {
      USERS: String(users.length),
      FRAMES_EACH: String(EACH),
      FRAME_BYTES: String(frameBytes),
    },
  });
  const address = `${server.url.replace(/^http/, "ws")}/ws/notify?token=`;
  const figures = await measure(context, {
    name: "bare ws",
    sent: baselineSent(users.length, EACH),
    addresses: users.map((_, user) => `${address}${user}`),
    pids: { gateway: server.pid },
  });
  await server.stop();
  return figures;
}

async function measure(
  context: BenchContext,
  target: {
    readonly name: string;
    readonly sent: readonly Sent[];
    readonly addresses: readonly string[];
    readonly pids: Readonly<Record<string, number>>;
  },
): Promise<ReplayFigures> {
  const { name, sent, addresses, pids } = target;
  context.announce(`${name}: ${addresses.length} users come back at once`);
  const stopMeter = startMeter(pids);
  const crowd = await comeBack(addresses, EACH);
  context.resources.add(`sockets of ${name}`, () => crowd.close());
  const { cpuMs, othersShare } = stopMeter();
  await delay(AFTERMATH_MS);
  const figures = figuresOf(name, sent, crowd, addresses.length);
  const reopened = crowd.reopened();
  crowd.close();
  const each = Object.entries(cpuMs).map(
    ([process, ms]) => [process, eachUs(ms, figures.frames)] as const,
  );
  return { ...figures, reopened, eachUs: Object.fromEntries(each), othersShare };
}

function figuresOf(name: string, sent: readonly Sent[], crowd: Crowd, users: number) {
  const { arrivals, elapsedMs, completedMs, bytes, gaps } = crowd;
  return {
    name,
    users,
    frames: arrivals.length,
    elapsedMs,
    completed: distributionOf(completedMs),
    frameBytes: bytes / Math.max(1, arrivals.length),
    // Everybody was shown the whole of their history, from its first message.
    judgement: judge(
      sent,
      arrivals,
      Array.from({ length: users }, () => 0),
    ),
    gaps,
  };
}
