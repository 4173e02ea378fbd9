/** Clocks that a run can step, one for Redis and one for each of a few processes. */
import { createSteppableClock } from "./stage/clock-steps.ts";

/** Those that decide by the clock what is due, and when. */
export const CLOCK_UNITS = ["worker-1", "gateway-1", "api-1", "ingest-1"] as const;
const NAMES = ["redis", ...CLOCK_UNITS] as const;
export type ClockName = (typeof NAMES)[number];

export interface Clocks {
  /** For the environment of this process; empty where its clock is the machine's. */
  envOf(name: string): Readonly<Record<string, string>>;
  step(name: ClockName, byMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param options.steppable false: all go by the machine's clock, as every look at another costs time
 * @throws Error if clocks are to be stepped and cannot be
 */
export async function openClocks(options: { readonly steppable: boolean }): Promise<Clocks> {
  const made = options.steppable
    ? NAMES.map(async (name) => [name, await createSteppableClock()] as const)
    : [];
  const clocks = new Map<string, Awaited<ReturnType<typeof createSteppableClock>>>(
    await Promise.all(made),
  );
  return {
    envOf: (name) => clocks.get(name)?.env ?? {},
    async step(name, byMs) {
      const clock = clocks.get(name);
      if (clock === undefined) throw new Error(`the clock of ${name} cannot be stepped`);
      await clock.step(byMs);
    },
    async close() {
      await Promise.all([...clocks.values()].map((clock) => clock.close()));
    },
  };
}
