/** What processes took of the processors between two moments. */
import { cores, machineCpuMs, processCpuMs } from "./machine.ts";

export interface Usage<Name extends string = string> {
  readonly elapsedMs: number;
  /** Processor time by name, in ms. */
  readonly cpuMs: Readonly<Record<Name, number>>;
  /** Of all cores: what everything that is not named took. */
  readonly othersShare: number;
}

/**
 * Begins to measure these processes; the bench's own is always among them, as `generator`.
 * @returns how to end it
 */
export function startMeter<Name extends string>(
  pids: Readonly<Record<Name, number>>,
): () => Usage<Name | "generator"> {
  // The keys of what was just put together are the names.
  const named = Object.entries({ ...pids, generator: process.pid }) as [
    Name | "generator",
    number,
  ][];
  const read = () => ({
    atMs: performance.now(),
    machine: machineCpuMs(),
    each: named.map(([name, pid]) => [name, processCpuMs(pid)] as const),
  });
  const before = read();
  return () => {
    const after = read();
    const elapsedMs = after.atMs - before.atMs;
    const used = after.each.map(
      ([name, cpu], at) => [name, cpu - (before.each[at]?.[1] ?? 0)] as const,
    );
    const ours = used.reduce((sum, [, cpu]) => sum + cpu, 0);
    return {
      elapsedMs,
      // As above.
      cpuMs: Object.fromEntries(used) as Record<Name | "generator", number>,
      othersShare: Math.max(0, after.machine - before.machine - ours) / elapsedMs / cores,
    };
  };
}

/** Processor time of one, in microseconds for each of `count`. */
export const eachUs = (cpuMs: number | undefined, count: number): number =>
  ((cpuMs ?? Number.NaN) * 1_000) / Math.max(1, count);
