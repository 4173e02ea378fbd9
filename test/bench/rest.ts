/** REST: how long from a request to its frame, and which rate the deliveries keep up with. */
import { awaitOutcome, outcomeNotes, type Outcome } from "./aftermath.ts";
import { seatAudience } from "./audience.ts";
import { restTables, restMeasured } from "./rest-report.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { createSender } from "./sender.ts";
import { measureStretch, type Stretch } from "./stretch.ts";
import { openBareTarget, openProductTarget, ROLES_APART, type Target } from "./target.ts";

const SOCKETS = 1_000;
const SECONDS = 10;
/** Until the hot paths are compiled; what is sent counts for the judgement, not for the times. */
const WARM_UP = { rate: 500, seconds: 5 } as const;

/** Up to here latency is asked for, kept up or not; a higher rate is only tried after one that was kept. */
const ALWAYS_MEASURED = 2_000;

/** The rates of each target, rising. */
const PLAN = [
  { open: openBareTarget, rates: [500, 1_000, 2_000] },
  { open: openTogether, rates: [500, 1_000, 2_000, 3_000, 4_000] },
  { open: openApart, rates: [1_000, 2_000, 3_000, 4_000] },
] as const;

export interface RestCourse {
  readonly target: string;
  readonly stretches: readonly Stretch[];
  readonly outcome: Outcome;
}

function openTogether(context: BenchContext, sockets: number): Promise<Target> {
  return openProductTarget(context, { name: "product" }, { sockets });
}

function openApart(context: BenchContext, sockets: number): Promise<Target> {
  return openProductTarget(context, { name: "roles apart", roles: ROLES_APART }, { sockets });
}

export async function runRest(context: BenchContext): Promise<ScenarioResult> {
  const courses: RestCourse[] = [];
  for (const { open, rates } of PLAN) {
    const target = await open(context, context.options.sockets ?? SOCKETS);
    courses.push(await runCourse(target, rates, context));
    await target.stop();
  }
  return {
    tables: restTables(courses),
    figures: courses,
    measured: restMeasured(courses),
    sound: courses.every(({ outcome }) => outcome.sound),
    notes: courses.flatMap(({ target, outcome }) => outcomeNotes(target, outcome)),
  };
}

async function runCourse(
  target: Target,
  rates: readonly number[],
  { options, resources, announce }: BenchContext,
): Promise<RestCourse> {
  announce(`${target.name}: opening ${target.addresses.length} sockets`);
  const audience = await seatAudience(target);
  resources.add("sockets", () => audience.close());
  const sender = createSender(target);
  resources.add("sender", () => sender.close());
  const stage = { target, sender, audience };

  announce(`${target.name}: warming up for ${WARM_UP.seconds} s`);
  await measureStretch(stage, WARM_UP);
  const stretches: Stretch[] = [];
  for (const rate of rates) {
    const seconds = options.seconds ?? SECONDS;
    announce(`${target.name}: ${rate}/s for ${seconds} s`);
    const stretch = await measureStretch(stage, { rate, seconds });
    stretches.push(stretch);
    if (rate >= ALWAYS_MEASURED && !stretch.verdict.kept) break;
  }
  const outcome = await awaitOutcome({ target, sent: sender.sent, audience, acks: false });
  audience.close();
  sender.close();
  return { target: target.name, stretches, outcome };
}
