/** What Redis says it spent on each of its commands. */
import type { Redis } from "ioredis";

export interface CommandUse {
  readonly command: string;
  readonly calls: number;
  readonly us: number;
}

const LINE = /^cmdstat_([^:]+):calls=(\d+),usec=(\d+),/gm;

/** Reads `INFO commandstats`. The commands within a script are in it once more, beside the script. */
export function parseCommandStats(text: string): CommandUse[] {
  return [...text.matchAll(LINE)].map(([, command = "", calls, us]) => ({
    command,
    calls: Number(calls),
    us: Number(us),
  }));
}

/** Counts from now on. @returns how to end it: what was spent since, dearest first */
export async function startCommandStats(redis: Redis): Promise<() => Promise<CommandUse[]>> {
  await redis.config("RESETSTAT");
  return async () => {
    const used = parseCommandStats(await redis.info("commandstats"));
    return used.toSorted((a, b) => b.us - a.us);
  };
}

const CPU_FIELD = /^used_cpu_(?:sys|user):([\d.]+)/gm;

/** Processor time of the server so far, in microseconds; finer than `/proc`. */
export async function redisCpuUs(redis: Redis): Promise<number> {
  const seconds = [...(await redis.info("cpu")).matchAll(CPU_FIELD)].map(([, text]) => text);
  return seconds.reduce((sum, text) => sum + Number(text) * 1e6, 0);
}
