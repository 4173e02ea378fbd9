/** Scenario `push`: what a push message costs, with one signature for each and with one for many. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { z } from "zod";
import type { PushAddress, PushMessage } from "../../src/channels/channel.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { createThrowawayAuthority } from "../support/throwaway-authority.ts";
import { median } from "./median.ts";
import { eachUs, startMeter } from "./meter.ts";
import { pushTable, type PushFigures } from "./push-report.ts";
import { createLibrarySender, createProductSender, type PushSender } from "./push-senders.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { formatRatio } from "./table.ts";

/** Of a few hundred people: keys that are used again are not kept by anybody. */
const BROWSERS = 500;
const IN_FLIGHT = 32;
const SECONDS = 3;
const ROUNDS = 5;
const SEALED_EACH_ROUND = 1_000;
const WARM_UP_MESSAGES = 500;

const browsersSchema = z.array(
  z.object({ endpoint: z.string(), keys: z.object({ p256dh: z.string(), auth: z.string() }) }),
);

/** As long as most are: a sentence, a link, two actions, a receipt. */
const MESSAGE: PushMessage = {
  noteId: "01000000-0000-8000-8000-000000000001",
  payload: JSON.stringify({ title: "Room change for the next lesson", body: "x".repeat(500) }),
  ttlSeconds: 3_600,
  urgency: "high",
  topic: "0123456789abcdef0123456789abcdef",
};

interface Round {
  readonly sent: number;
  readonly refused: number;
  readonly sentUs: number;
  readonly sealedUs: number;
  readonly perSecond: number;
  readonly othersShare: number;
}

export async function runPush(context: BenchContext): Promise<ScenarioResult> {
  const pair = makeVapidPair();
  const { origin, browsers } = await startService(context, pair.publicKey);
  const senders = [createLibrarySender(pair), createProductSender(pair, origin)] as const;
  for (const sender of senders) context.resources.add(sender.name, () => sender.close());
  for (const sender of senders) await send(sender, browsers, (sent) => sent < WARM_UP_MESSAGES);

  const seconds = context.options.seconds ?? SECONDS;
  const rounds: [Round[], Round[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    // In turn, so that whatever else the machine does meets both.
    rounds[0].push(await measure(senders[0], browsers, seconds));
    rounds[1].push(await measure(senders[1], browsers, seconds));
    context.announce(`round ${round + 1} of ${ROUNDS}`);
  }
  const library = together(senders[0].name, rounds[0]);
  const product = together(senders[1].name, rounds[1]);
  return {
    tables: [pushTable(library, product)],
    figures: { library, product, rounds },
    measured: {},
    sound: library.refused + product.refused === 0,
    notes: [
      `One core sends ${formatRatio(library.sentUs, product.sentUs)} as many with the header kept. ` +
        "The push service checks every signature and decrypts every message, as one process beside.",
    ],
  };
}

/** The push service as a process of its own; this one trusts its authority from then on. */
async function startService(
  context: BenchContext,
  publicKey: string,
): Promise<{ origin: string; browsers: readonly PushAddress[] }> {
  const { ca, server } = createThrowawayAuthority();
  const known = getCACertificates("default");
  setDefaultCACertificates([...known, ca]);
  context.resources.add("trusted authorities", () => setDefaultCACertificates(known));
  const file = path.join(context.dataDir, "subscriptions.json");
  const { url } = await context.startServer({
    file: "test/bench/push-service-server.ts",
    env: {
      CERT: server.cert,
      KEY: server.key,
      VAPID_PUBLIC_KEY: publicKey,
      BROWSERS: String(BROWSERS),
      SUBSCRIPTIONS_FILE: file,
    },
  });
  const browsers = browsersSchema.parse(JSON.parse(await readFile(file, "utf8")));
  return { origin: url, browsers };
}

const browserAt = (browsers: readonly PushAddress[], at: number): PushAddress => {
  const browser = browsers[at % browsers.length];
  if (browser === undefined) throw new Error("there is no browser to send to");
  return browser;
};

/** Sends for as long as it `goesOn`, some at once. */
async function send(
  sender: PushSender,
  browsers: readonly PushAddress[],
  goesOn: (sent: number) => boolean,
): Promise<{ sent: number; refused: number }> {
  const count = { sent: 0, refused: 0 };
  const oneAfterAnother = async (): Promise<void> => {
    while (goesOn(count.sent)) {
      const browser = browserAt(browsers, count.sent);
      count.sent += 1;
      if (!(await sender.send(browser, MESSAGE))) count.refused += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, oneAfterAnother));
  return count;
}

async function measure(
  sender: PushSender,
  browsers: readonly PushAddress[],
  seconds: number,
): Promise<Round> {
  const endSealing = startMeter({});
  for (let at = 0; at < SEALED_EACH_ROUND; at += 1) sender.seal(browserAt(browsers, at), MESSAGE);
  const sealedUs = eachUs(endSealing().cpuMs.generator, SEALED_EACH_ROUND);
  const until = performance.now() + seconds * 1_000;
  const endSending = startMeter({});
  const { sent, refused } = await send(sender, browsers, () => performance.now() < until);
  const { cpuMs, elapsedMs, othersShare } = endSending();
  const sentUs = eachUs(cpuMs.generator, sent);
  return { sent, refused, sentUs, sealedUs, perSecond: (sent * 1_000) / elapsedMs, othersShare };
}

function together(name: string, rounds: readonly Round[]): PushFigures {
  const sum = (of: "sent" | "refused"): number => rounds.reduce((all, round) => all + round[of], 0);
  const middle = (of: "sentUs" | "sealedUs" | "perSecond" | "othersShare"): number =>
    median(rounds.map((round) => round[of]));
  return {
    name,
    sent: sum("sent"),
    refused: sum("refused"),
    sentUs: middle("sentUs"),
    sealedUs: middle("sealedUs"),
    perSecond: middle("perSecond"),
    othersShare: middle("othersShare"),
  };
}
