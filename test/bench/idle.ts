/** Scenario `idle`: what an open socket costs a gateway that has nothing to say to it. */
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gaugedEnv, residentBytes, settledMemory } from "./idle-gauge.ts";
import { probeSockets } from "./idle-probe.ts";
import { idleTable, type IdleFigures } from "./idle-report.ts";
import { openIdleSockets } from "./idle-sockets.ts";
import { usersOf } from "./load.ts";
import { eachUs, startMeter } from "./meter.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import { formatCount, formatRatio } from "./table.ts";

/** As many as one gateway takes, and as one process of the bench may have files open. */
const SOCKETS = 15_000;
/** A heartbeat of every socket, and the presence of all users rewritten once. */
const PRODUCT_ROUND_MS = 31_000;
const BASELINE_ROUND_MS = 6_000;
/** What a start leaves to be done is done by then. */
const SETTLING_MS = 1_500;

interface IdleServer {
  readonly name: string;
  readonly pid: number;
  /** Where it tells its memory. */
  readonly file: string;
  /** One for each user, with the token in it. */
  readonly addresses: readonly string[];
  readonly roundMs: number;
}

export async function runIdle(context: BenchContext): Promise<ScenarioResult> {
  const users = usersOf(context.options.sockets ?? SOCKETS);
  const baseline = await measureBaseline(context, users);
  const { product, probe } = await measureProduct(context, users);
  const ratio = formatRatio(product.perSocket, baseline.perSocket);
  const whole = [baseline, product].every(
    ({ alive, dropped }) => alive === users.length && dropped === 0,
  );
  return {
    tables: [idleTable(baseline, product)],
    figures: { baseline, product, probe },
    measured: { idleSocket: `${formatCount(product.perSocket)} bytes, ${ratio}` },
    sound: whole && probe.wrong === 0,
    notes: [
      `Of the gateway's ${users.length} sockets ${product.alive} got their heartbeat and ` +
        `${product.dropped} were closed. In the end ${probe.sent} were sent a message: ` +
        `${probe.wrong} sockets did not get exactly what was meant for them.`,
    ],
  };
}

async function measureBaseline(
  context: BenchContext,
  users: readonly string[],
): Promise<IdleFigures> {
  const file = path.join(context.dataDir, "baseline-memory.json");
  const server = await context.startServer({
    file: "test/bench/idle-baseline-server.ts",
    env: gaugedEnv(file),
  });
  const address = `${server.url.replace(/^http/, "ws")}/ws/notify?token=`;
  const { figures, open } = await measure(context, {
    name: "bare ws",
    pid: server.pid,
    file,
    addresses: users.map((user) => address + user),
    roundMs: BASELINE_ROUND_MS,
  });
  open.close();
  await server.stop();
  return figures;
}

async function measureProduct(context: BenchContext, users: readonly string[]) {
  const file = path.join(context.dataDir, "gateway-memory.json");
  const product = await context.startProduct({
    name: "product",
    // Both tell their memory into the same file, but only the gateway is ever asked.
    roles: ["gateway", "api,worker"],
    redis: await context.startRedis("product"),
    env: gaugedEnv(file),
  });
  const { figures, open } = await measure(context, {
    name: "gateway",
    pid: product.processes[0]?.pid ?? Number.NaN,
    file,
    addresses: await Promise.all(users.map((user) => product.socketAddress(user))),
    roundMs: PRODUCT_ROUND_MS,
  });
  const probe = await probeSockets(product, users, open);
  open.close();
  await product.stop();
  return { product: figures, probe };
}

async function measure(context: BenchContext, server: IdleServer) {
  const { name, pid, addresses, roundMs } = server;
  const { length: sockets } = addresses;
  await delay(SETTLING_MS);
  const start = residentBytes(pid);
  const before = await settledMemory(server);
  context.announce(`${name}: opening ${sockets} sockets`);
  const endOpening = startMeter({ server: pid });
  const open = await openIdleSockets(addresses);
  context.resources.add(`sockets of ${name}`, () => open.close());
  const opening = endOpening();
  const opened = await settledMemory(server);

  context.announce(`${name}: ${roundMs / 1_000} s with nothing to send but heartbeats`);
  const earlier = open.beats.slice();
  const endRound = startMeter({ server: pid });
  await delay(roundMs);
  const round = endRound();
  const alive = open.beats.filter((beats, at) => beats > (earlier[at] ?? 0)).length;
  const asItStands = residentBytes(pid);
  const after = await settledMemory(server);

  const figures: IdleFigures = {
    name,
    sockets,
    startBytes: before.rss,
    perSocket: (after.rss - before.rss) / sockets,
    opened: (opened.rss - before.rss) / sockets,
    asItStands: (asItStands - start) / sockets,
    heap: (after.heapUsed - before.heapUsed) / sockets,
    openUs: eachUs(opening.cpuMs.server, sockets),
    idleShare: round.cpuMs.server / round.elapsedMs,
    alive,
    dropped: open.dropped(),
  };
  return { figures, open };
}
