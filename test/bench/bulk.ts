/** Bulk: how many notifications a second come from `POST /notify/bulk` to the client's ack. */
import { setTimeout as delay } from "node:timers/promises";
import { awaitOutcome, outcomeNotes, type Outcome } from "./aftermath.ts";
import { seatAudience } from "./audience.ts";
import { bulkMeasured, bulkTables } from "./bulk-report.ts";
import { createBulkSender } from "./bulk-sender.ts";
import { measureBareQueue } from "./bullmq-baseline.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { startAckMeter, type AckedStretch } from "./sustained-acks.ts";
import { openProductTarget, ROLES_APART, type Target } from "./target.ts";

const SOCKETS = 1_000;
const SECONDS = 15;
const BASELINE_SECONDS = 8;
const WARM_UP_MS = 5_000;
/** Between the request and the ack, over all users. */
const IN_FLIGHT = 8_000;

export interface BulkCourse {
  readonly target: string;
  readonly stretch: AckedStretch;
  readonly outcome: Outcome;
}

export async function runBulk(context: BenchContext): Promise<ScenarioResult> {
  const bare = await measureBareQueue(context, context.options.seconds ?? BASELINE_SECONDS);
  const sockets = { sockets: context.options.sockets ?? SOCKETS, query: "ack=1" };
  const courses: BulkCourse[] = [];
  for (const product of [{ name: "product" }, { name: "roles apart", roles: ROLES_APART }]) {
    const target = await openProductTarget(context, product, sockets);
    courses.push(await runCourse(target, context));
    await target.stop();
  }
  return {
    tables: bulkTables(bare, courses),
    figures: { bare, courses },
    measured: bulkMeasured(bare, courses),
    sound: courses.every(({ outcome }) => outcome.sound),
    notes: courses.flatMap(({ target, outcome }) => outcomeNotes(target, outcome)),
  };
}

async function runCourse(
  target: Target,
  { options, resources, announce }: BenchContext,
): Promise<BulkCourse> {
  announce(`${target.name}: opening ${target.addresses.length} sockets that acknowledge`);
  const audience = await seatAudience({ ...target, acks: true, onBurst: () => sender.pump() });
  resources.add("sockets", () => audience.close());
  const sender = createBulkSender({
    ...target,
    inFlight: IN_FLIGHT,
    done: () => audience.acknowledged(),
  });
  resources.add("sender", () => sender.close());

  const seconds = options.seconds ?? SECONDS;
  announce(`${target.name}: bulk requests, ${IN_FLIGHT} notifications in flight, ${seconds} s`);
  sender.start();
  await delay(WARM_UP_MS);
  const stop = startAckMeter(target, audience);
  await delay(seconds * 1_000);
  const stretch = stop();
  await sender.stop();
  const outcome = await awaitOutcome({ target, sent: sender.sent, audience, acks: true });
  audience.close();
  sender.close();
  return { target: target.name, stretch, outcome };
}
