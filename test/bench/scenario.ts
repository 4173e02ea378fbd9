/** The course of a run on one target: seats taken, warmed up, loaded, counted up. */
import { setTimeout as delay } from "node:timers/promises";
import type { Resources } from "../../src/platform/resources.ts";
import type { BenchOptions } from "./arguments.ts";
import { seatAudience } from "./audience.ts";
import { judge, type Judgement } from "./judgement.ts";
import { measureIdle, measureStretch, type Cost, type Stretch } from "./measurement.ts";
import { createSender } from "./sender.ts";
import type { Target } from "./targets.ts";

/** Until the hot paths are compiled; what is sent counts for the judgement, not for the times. */
const WARM_UP_SECONDS = 5;
const RAMP_RATES = [500, 1_000] as const;
const RAMP_SECONDS = 10;
const IDLE_MS = 3_000;
/** A step that was thought lost is taken up again within 2.5 s; a double would show by then. */
const AFTERMATH_MS = 3_500;
const COUNT_DEADLINE_MS = 10_000;
const COUNT_POLL_MS = 250;

export interface Course {
  readonly target: Target["name"];
  readonly sockets: number;
  /** With the sockets open and nothing sent. */
  readonly idle: Cost;
  readonly stretches: readonly Stretch[];
  readonly judgement: Judgement;
  /** Sockets that closed by themselves. */
  readonly dropped: number;
  /** Deliveries by the product's own count. */
  readonly counted: number | undefined;
}

export async function runCourse(
  target: Target,
  options: BenchOptions,
  tools: { readonly resources: Resources; readonly announce: (line: string) => void },
): Promise<Course> {
  const { resources, announce } = tools;
  announce(`${target.name}: opening ${options.sockets} sockets`);
  const audience = await seatAudience(target.addresses);
  resources.add("sockets", () => audience.close());
  const sender = createSender({ url: target.url, token: target.token, users: target.users });
  resources.add("sender", () => sender.close());
  const bench = { target, sender, audience };

  const idle = await measureIdle(target, IDLE_MS);
  announce(`${target.name}: warming up for ${WARM_UP_SECONDS} s`);
  await measureStretch(bench, { rate: options.rate, seconds: WARM_UP_SECONDS });
  const stretches: Stretch[] = [];
  for (const load of loadsOf(options)) {
    announce(`${target.name}: ${load.rate}/s for ${load.seconds} s`);
    stretches.push(await measureStretch(bench, load));
  }
  await delay(AFTERMATH_MS);
  const judgement = judge(sender.sent, audience.arrivals, audience.positions);
  const course = {
    target: target.name,
    sockets: options.sockets,
    idle,
    stretches,
    judgement,
    dropped: audience.dropped(),
    counted: await countOf(target, judgement.arrived),
  };
  audience.close();
  await sender.close();
  return course;
}

/** Books are written after the frame; on a busy machine a moment after. */
async function countOf(target: Target, expected: number): Promise<number | undefined> {
  const giveUpAt = performance.now() + COUNT_DEADLINE_MS;
  let counted = await target.counted();
  while (counted !== undefined && counted < expected && performance.now() < giveUpAt) {
    await delay(COUNT_POLL_MS);
    counted = await target.counted();
  }
  return counted;
}

function loadsOf({ scenario, rate, seconds }: BenchOptions): { rate: number; seconds: number }[] {
  const steady = { rate, seconds };
  const ramp = RAMP_RATES.map((step) => ({ rate: step, seconds: RAMP_SECONDS }));
  return { steady: [steady], ramp, all: [steady, ...ramp], kafka: [] }[scenario];
}
