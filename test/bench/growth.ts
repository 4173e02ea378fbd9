/** Growth: the same load with few and with many known users, in turns, so that both meet the same machine. */
import { awaitOutcome, outcomeNotes, untilArrived } from "./aftermath.ts";
import { seatAudience, type Audience } from "./audience.ts";
import { createBulkSender, type BulkSender } from "./bulk-sender.ts";
import { growthMeasured, growthTable } from "./growth-report.ts";
import type { Sent } from "./judgement.ts";
import { makeKnown, replayedTo } from "./known-users.ts";
import { usersOf } from "./load.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { createSender, type Sender } from "./sender.ts";
import { measureStretch, type Stretch } from "./stretch.ts";
import { startAckMeter, type AckedStretch } from "./sustained-acks.ts";
import { openProductTarget, PRODUCT_KEYS, type Target } from "./target.ts";

const SMALLEST = 1_000;
const SOCKETS = 1_000;
const REST_RATE = 500;
const REST_SECONDS = 8;
const BULK = 10_000;
const WARM_UP = { rate: REST_RATE, seconds: 4 } as const;
const WARM_UP_BULK = 5_000;
/** Copies that are asked for what they missed: proof that the product reads them. */
const REPLAYED = 20;

/** The product with this many known users; it stays up while its turn comes and goes. */
interface Site {
  readonly known: number;
  readonly target: Target;
  readonly audience: Audience;
  readonly sent: Sent[];
  readonly single: Sender;
  readonly bulk: BulkSender;
}

export interface GrowthRound {
  readonly known: number;
  readonly rest: Stretch;
  readonly bulk: AckedStretch;
}

export async function runGrowth(context: BenchContext): Promise<ScenarioResult> {
  const { options, announce } = context;
  const sizes = [SMALLEST, Math.round(options.users / 10), options.users].filter(
    (size, at) => at === 0 || size > SMALLEST,
  );
  const sites: Site[] = [];
  for (const known of sizes) sites.push(await openSite(known, context));
  const rounds: GrowthRound[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const site of sites) {
      announce(`round ${round} of ${options.rounds}: ${site.known} known users`);
      rounds.push(await runRound(site, options.seconds ?? REST_SECONDS));
    }
  }
  const outcomes = [];
  for (const { known, target, audience, sent } of sites) {
    outcomes.push({ known, outcome: await awaitOutcome({ target, sent, audience, acks: true }) });
  }
  return {
    tables: [growthTable(rounds)],
    figures: { rounds, outcomes },
    measured: growthMeasured(rounds),
    sound: outcomes.every(({ outcome }) => outcome.sound),
    notes: outcomes.flatMap(({ known, outcome }) => outcomeNotes(`${known} known users`, outcome)),
  };
}

async function openSite(known: number, context: BenchContext): Promise<Site> {
  const { announce, resources, options } = context;
  announce(`making ${known} known users`);
  const sockets = Math.min(options.sockets ?? SOCKETS, SMALLEST);
  const target = await openProductTarget(
    context,
    { name: `known-${known}` },
    { sockets, query: "ack=1" },
  );
  const audience = await seatAudience({ ...target, acks: true });
  resources.add("sockets", () => audience.close());
  const sent: Sent[] = [];
  const single = createSender({ ...target, sent });
  resources.add("sender", () => single.close());
  const bulk = createBulkSender({ ...target, sent, inFlight: BULK, done: () => sent.length });
  resources.add("bulk sender", () => bulk.close());
  const site = { known, target, audience, sent, single, bulk };

  await getKnown(site);
  await measureStretch({ target, sender: single, audience }, WARM_UP);
  await bulk.sendOnly(WARM_UP_BULK);
  await untilArrived(audience, sent.length);
  return site;
}

/**
 * Those with sockets are known once the warm-up has written to them; the rest are made.
 * @throws Error if the product does not know them afterwards
 */
async function getKnown({ known, target, bulk, sent, audience }: Site): Promise<void> {
  const { product, users } = target;
  if (product === undefined) return;
  const { client } = product.redis;
  // A rewrite of the append-only file is due at another moment with each number of users.
  await client.config("SET", "auto-aof-rewrite-percentage", "0");
  await bulk.sendOnly(users.length);
  await awaitOutcome({ target, sent, audience, acks: true });
  const originals = [...Map.groupBy(sent, ({ user }) => user)].flatMap(([user, [only, another]]) =>
    only?.notificationId === undefined || another !== undefined
      ? []
      : [{ user: users[user] ?? "", notificationId: only.notificationId }],
  );
  const copies = usersOf(known).slice(users.length);
  await makeKnown({ redis: client, keyspace: PRODUCT_KEYS }, copies, originals);
  const step = Math.max(1, Math.floor(copies.length / REPLAYED));
  for (let at = 0; at < copies.length; at += step) {
    const user = copies[at] ?? "";
    const messages = await replayedTo(product, user);
    if (messages !== 1) throw new Error(`${user} has ${messages} messages instead of 1`);
  }
}

async function runRound(site: Site, seconds: number): Promise<GrowthRound> {
  const { known, target, audience, sent, single, bulk } = site;
  const stage = { target, sender: single, audience };
  const rest = await measureStretch(stage, { rate: REST_RATE, seconds });
  const stop = startAckMeter(target, audience);
  await bulk.sendOnly(BULK);
  await untilArrived(audience, sent.length);
  return { known, rest, bulk: stop() };
}
