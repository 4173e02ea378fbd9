/** What each process and each Redis command takes of a notification, with the roles apart and under load. */
import { setTimeout as delay } from "node:timers/promises";
import { awaitOutcome, untilArrived, type Outcome } from "./aftermath.ts";
import { seatAudience } from "./audience.ts";
import { createBulkSender } from "./bulk-sender.ts";
import { startCommandStats, type CommandUse } from "./command-stats.ts";
import type { Sent } from "./judgement.ts";
import type { BenchContext } from "./scenarios.ts";
import { createSender } from "./sender.ts";
import { measureStretch } from "./stretch.ts";
import { startAckMeter } from "./sustained-acks.ts";
import { openProductTarget, ROLES_APART } from "./target.ts";

const SOCKETS = 1_000;
const REST = { rate: 500, seconds: 8 } as const;
const BULK_SECONDS = 8;
const WARM_UP_MS = 4_000;
const IN_FLIGHT = 8_000;

export interface LoadedStep {
  readonly load: "REST 500/s" | "bulk";
  readonly notifications: number;
  /** Processor time by process for each notification, in microseconds. */
  readonly eachUs: Readonly<Record<string, number>>;
  readonly commands: readonly CommandUse[];
}

export async function measureUnderLoad(
  context: BenchContext,
): Promise<{ steps: LoadedStep[]; outcome: Outcome }> {
  const { options, resources, announce } = context;
  const target = await openProductTarget(
    context,
    { name: "roles apart", roles: ROLES_APART },
    { sockets: options.sockets ?? SOCKETS, query: "ack=1" },
  );
  const { product } = target;
  if (product === undefined) throw new Error("there is no product to measure");
  const audience = await seatAudience({ ...target, acks: true, onBurst: () => bulk.pump() });
  resources.add("sockets", () => audience.close());
  const sent: Sent[] = [];
  const single = createSender({ ...target, sent });
  resources.add("sender", () => single.close());
  const done = (): number => audience.acknowledged();
  const bulk = createBulkSender({ ...target, sent, inFlight: IN_FLIGHT, done });
  resources.add("bulk sender", () => bulk.close());
  const stage = { target, sender: single, audience };

  announce(`roles apart: warming up, then ${REST.rate}/s by REST for ${REST.seconds} s`);
  await measureStretch(stage, { rate: REST.rate, seconds: WARM_UP_MS / 1_000 });
  const endRest = await startCommandStats(product.redis.client);
  const rest = await measureStretch(stage, REST);
  const restCommands = await endRest();

  announce(`roles apart: bulk requests, ${IN_FLIGHT} notifications in flight, ${BULK_SECONDS} s`);
  bulk.start();
  await delay(WARM_UP_MS);
  const endBulk = await startCommandStats(product.redis.client);
  const stop = startAckMeter(target, audience);
  await delay(BULK_SECONDS * 1_000);
  const stretch = stop();
  const bulkCommands = await endBulk();
  await bulk.stop();
  await untilArrived(audience, sent.length);
  const outcome = await awaitOutcome({ target, sent, audience, acks: true });
  audience.close();
  await target.stop();
  return {
    outcome,
    steps: [
      {
        load: "REST 500/s",
        notifications: rest.arrival.count,
        eachUs: rest.eachUs,
        commands: restCommands,
      },
      {
        load: "bulk",
        notifications: stretch.acknowledged,
        eachUs: stretch.eachUs,
        commands: bulkCommands,
      },
    ],
  };
}
