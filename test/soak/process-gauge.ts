/** What one process holds: by the operating system at any time, by itself when it is asked. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { residentBytes } from "../bench/idle-gauge.ts";
import { processCpuMs } from "../bench/machine.ts";

const POLL_MS = 20;
const ANSWER_DEADLINE_MS = 30_000;

/** What a process has to be started with to be asked. @param collects whether it collects garbage then */
export const gaugedEnv = (file: string, collects: boolean): Record<string, string> => ({
  NODE_OPTIONS: `${collects ? "--expose-gc " : ""}--import ./test/soak/gauge-server.ts`,
  MEMORY_GAUGE: file,
});

const usageSchema = z.object({
  heapUsed: z.number(),
  external: z.number(),
  arrayBuffers: z.number(),
  /** Sockets, timers and the like, by kind. */
  resources: z.record(z.string(), z.number()),
});
export type Usage = Readonly<z.infer<typeof usageSchema>>;

/** By the operating system. */
export interface Outside {
  readonly rssBytes: number;
  readonly files: number;
  readonly cpuMs: number;
}

/** @throws if the process is gone */
export function seenFromOutside(pid: number): Outside {
  return {
    rssBytes: residentBytes(pid),
    files: readdirSync(`/proc/${pid}/fd`).length,
    cpuMs: processCpuMs(pid),
  };
}

/** @param file the one it was started with. @throws if it does not answer */
export async function askUsage({ pid, file }: { pid: number; file: string }): Promise<Usage> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const giveUpAt = performance.now() + ANSWER_DEADLINE_MS;
  while (!existsSync(file)) {
    if (performance.now() > giveUpAt) throw new Error(`process ${pid} does not tell its memory`);
    await delay(POLL_MS);
  }
  return usageSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}
