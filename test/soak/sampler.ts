/** Samples while the load goes on: every ten seconds from outside, and now and then from inside. */
import { setTimeout as delay } from "node:timers/promises";
import { askUsage, seenFromOutside, type Outside, type Usage } from "./process-gauge.ts";
import { lookInside, seenAtOnce, type RedisInside, type RedisOutside } from "./redis-gauge.ts";
import type { SoakProcess, SoakScene } from "./scene.ts";

const SAMPLE_MS = 10_000;
/** Where no collection is asked for, Redis and the processes are still looked into so often. */
const USUAL_INSIDE_MS = 60_000;
const SECOND_MS = 1_000;

export interface OutsideSample {
  readonly atMs: number;
  readonly processes: Readonly<Record<string, Outside>>;
  readonly redis: RedisOutside;
  readonly unsettled: number;
  /** Whatever the load counts. */
  readonly load: Readonly<Record<string, number>>;
}

export interface InsideSample {
  readonly atMs: number;
  readonly processes: Readonly<Record<string, Usage & { readonly series: number }>>;
  readonly redis: RedisInside;
}

export interface Samples {
  readonly outside: readonly OutsideSample[];
  readonly inside: readonly InsideSample[];
}

/**
 * Takes samples until the time is over. Times are ms since the first.
 * @param onSample after each, so that what was measured is kept however the run ends
 * @throws if a process is gone
 */
export async function sample(options: {
  readonly scene: SoakScene;
  readonly durationMs: number;
  /** Seconds; 0: as often as usual. */
  readonly collect: number;
  readonly load: () => Readonly<Record<string, number>>;
  readonly onSample: (samples: Samples) => Promise<void>;
}): Promise<Samples> {
  const { scene, durationMs, load, onSample } = options;
  const insideMs = options.collect > 0 ? options.collect * SECOND_MS : USUAL_INSIDE_MS;
  const outside: OutsideSample[] = [];
  const inside: InsideSample[] = [];
  const startMs = performance.now();
  const now = (): number => Math.round(performance.now() - startMs);
  let nextInsideMs = 0;
  for (let dueMs = 0; dueMs <= durationMs; dueMs += SAMPLE_MS) {
    await delay(Math.max(0, startMs + dueMs - performance.now()));
    outside.push({
      atMs: now(),
      processes: Object.fromEntries(
        scene.processes.map(({ role, pid }) => [role, seenFromOutside(pid)]),
      ),
      redis: await seenAtOnce(scene.redis.client),
      unsettled: await scene.unsettled(),
      load: { ...load() },
    });
    if (dueMs >= nextInsideMs) {
      nextInsideMs = dueMs + insideMs;
      inside.push(await sampleInside(scene, now()));
    }
    await onSample({ outside, inside });
  }
  return { outside, inside };
}

async function sampleInside(scene: SoakScene, atMs: number): Promise<InsideSample> {
  const processes: Record<string, Usage & { series: number }> = {};
  // One after the other: a collection stops its process for a moment.
  for (const one of scene.processes) {
    processes[one.role] = { ...(await askUsage(one)), series: await countSeries(one) };
  }
  return { atMs, processes, redis: await lookInside(scene.redis.client) };
}

/** How many lines its metrics have: they must not grow with what callers send. */
async function countSeries({ url }: SoakProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}
