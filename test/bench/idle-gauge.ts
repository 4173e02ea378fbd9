/** What memory a server holds once its garbage is collected and the operating system agrees. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

/** What a server has to be started with to be read; the same for whatever is compared. */
export const gaugedEnv = (file: string) => ({
  NODE_OPTIONS: "--expose-gc --import ./test/bench/idle-gauge-server.ts",
  MEMORY_GAUGE: file,
});

/** Two readings in a row that differ by less are the figure. */
const AGREEMENT = 0.01;
const BETWEEN_READINGS_MS = 500;
const MAX_READINGS = 40;
const POLL_MS = 20;
const ANSWER_DEADLINE_MS = 10_000;
const BYTES_PER_KB = 1_024;

const usageSchema = z.object({
  heapUsed: z.number(),
  heapTotal: z.number(),
  external: z.number(),
  arrayBuffers: z.number(),
});

/** In bytes. */
export type MemoryReading = Readonly<z.infer<typeof usageSchema>> & { readonly rss: number };

export interface GaugedServer {
  readonly pid: number;
  /** That of `gaugedEnv`. */
  readonly file: string;
}

/** Resident memory by the operating system, in bytes. @throws where there is no `/proc` */
export function residentBytes(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kb === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Number(kb) * BYTES_PER_KB;
}

/** Collects garbage until two readings agree. @throws if they never do */
export async function settledMemory(server: GaugedServer): Promise<MemoryReading> {
  let before = Number.NaN;
  for (let reading = 0; reading < MAX_READINGS; reading += 1) {
    const usage = await collect(server);
    await delay(BETWEEN_READINGS_MS);
    const rss = residentBytes(server.pid);
    if (Math.abs(rss - before) < rss * AGREEMENT) return { ...usage, rss };
    before = rss;
  }
  throw new Error(`the memory of process ${server.pid} does not settle`);
}

async function collect({ pid, file }: GaugedServer): Promise<z.infer<typeof usageSchema>> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const giveUpAt = performance.now() + ANSWER_DEADLINE_MS;
  while (!existsSync(file)) {
    if (performance.now() > giveUpAt) throw new Error(`process ${pid} does not tell its memory`);
    await delay(POLL_MS);
  }
  return usageSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}
