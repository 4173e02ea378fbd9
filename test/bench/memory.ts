/** Scenario `memory`: what Redis holds for each notification and user, and that processes stay flat. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchRedis } from "./bench-redis.ts";
import { gaugedEnv, settledMemory, type GaugedServer, type MemoryReading } from "./idle-gauge.ts";
import { requestText, usersOf } from "./load.ts";
import { memoryByKind, usedMemory, type Kind } from "./memory-keys.ts";
import { unsettledCount, untilSettled } from "./memory-ledger.ts";
import { kindTable, processTable, storeTable } from "./memory-report.ts";
import type { Product } from "./product.ts";
import { comeBack } from "./replay-crowd.ts";
import { fillByBulk } from "./replay-fill.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";

const USERS = 200;
/** A full history; what comes after it replaces what is in it. */
const EACH = 100;
const ROUNDS = 3;
/** Nobody is there and no other channel is tried: each comes to its end in the history. */
const FIELDS = '"channels":["websocket"]';
/** Counters and audit entries are written after the note has settled. */
const SETTLING_MS = 1_000;

/** Of one kind of key, how much more there is than before. */
export interface Growth extends Kind {
  readonly kind: string;
}

/** What a step added to Redis. */
export interface StoreStep {
  readonly name: string;
  /** By `used_memory`, in bytes. */
  readonly bytes: number;
  readonly kinds: readonly Growth[];
}

export interface ProcessStep {
  readonly notifications: number;
  readonly api: MemoryReading;
  /** Away until the first are accepted. */
  readonly worker: MemoryReading | undefined;
}

export interface MemoryFigures {
  readonly users: number;
  /** Of each round. */
  readonly notifications: number;
  /** Of one as it was asked for, and of its frame. */
  readonly requestBytes: number;
  readonly frameBytes: number;
  readonly steps: readonly StoreStep[];
  readonly processes: readonly ProcessStep[];
  readonly unsettled: number;
  readonly replayed: number;
}

export async function runMemory(context: BenchContext): Promise<ScenarioResult> {
  const figures = await measure(context);
  const { notifications, unsettled, replayed, users } = figures;
  return {
    tables: [storeTable(figures), kindTable(figures), processTable(figures)],
    figures,
    measured: {},
    sound: unsettled === notifications && replayed === EACH,
    notes: [
      `${unsettled} of ${notifications} waited when the first step was read; one of the ` +
        `${users} users was then replayed ${replayed} of ${EACH} messages.`,
    ],
  };
}

async function measure(context: BenchContext): Promise<MemoryFigures> {
  const redis = await context.startRedis("redis");
  const shared = { DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  const start = async (name: string, roles: string) => {
    const file = path.join(context.dataDir, `${name}-memory.json`);
    const env = { ...shared, ...gaugedEnv(file) };
    const product = await context.startProduct({ name, roles: [roles], redis, env });
    const server: GaugedServer = { pid: product.processes[0]?.pid ?? Number.NaN, file };
    return { product, server };
  };
  const front = await start("front", "api,gateway");
  const users = usersOf(context.options.sockets ?? USERS);
  const count = users.length * EACH;
  const fill = (round: number) =>
    fillByBulk({
      url: front.product.apiUrl,
      token: front.product.token,
      users,
      count,
      from: round * count,
      fields: FIELDS,
    });
  const store = await openStore(redis);
  const processes: ProcessStep[] = [
    { notifications: 0, api: await settledMemory(front.server), worker: undefined },
  ];

  context.announce(`${count} notifications to ${users.length} users who are away`);
  await fill(0);
  const unsettled = await unsettledCount(redis.client);
  const steps = [await store.step("accepted, while no worker is there")];
  const worker = await start("worker", "worker");
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await fill(round);
    context.announce(`round ${round + 1} of ${ROUNDS} comes to its end`);
    await untilSettled(redis.client);
    await delay(SETTLING_MS);
    steps.push(await store.step(round === 0 ? "their end, histories filled" : "as many more"));
    processes.push({
      notifications: count * (round + 1),
      api: await settledMemory(front.server),
      worker: await settledMemory(worker.server),
    });
  }
  const { frames, frameBytes } = await replayOne(front.product, users);
  await worker.product.stop();
  await front.product.stop();
  await redis.stop();
  return {
    users: users.length,
    notifications: count,
    requestBytes: requestText(users[0] ?? "", 0).length,
    frameBytes,
    steps,
    processes,
    unsettled,
    replayed: frames,
  };
}

/** Begins to compare what is in Redis from one step to the next. */
async function openStore({ client }: BenchRedis) {
  let used = await usedMemory(client);
  let before = await memoryByKind(client);
  return {
    async step(name: string): Promise<StoreStep> {
      const [usedNow, now] = [await usedMemory(client), await memoryByKind(client)];
      const kinds = [...new Set([...before.keys(), ...now.keys()])].map((kind) => ({
        kind,
        keys: (now.get(kind)?.keys ?? 0) - (before.get(kind)?.keys ?? 0),
        bytes: (now.get(kind)?.bytes ?? 0) - (before.get(kind)?.bytes ?? 0),
      }));
      const step = { name, bytes: usedNow - used, kinds };
      [used, before] = [usedNow, now];
      return step;
    },
  };
}

/** What is kept has to be there to be read, or the figures are about nothing. */
async function replayOne(product: Product, users: readonly string[]) {
  const crowd = await comeBack([await product.socketAddress(users[0] ?? "")], EACH);
  crowd.close();
  const { length: frames } = crowd.arrivals;
  return { frames, frameBytes: crowd.bytes / Math.max(1, frames) };
}
