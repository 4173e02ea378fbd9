/**
 * A wall clock that can be stepped while processes run, as an operator or a time service does it.
 *
 * libfaketime is preloaded into a process and stands between it and the system's clock; it reads from
 * a file how far to be off, once a second, which costs a process some 70 ns per look at the clock.
 * The monotonic clock, which timers go by, stays as it is: no step moves that in earnest either.
 */
import { globSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface SteppableClock {
  /** For the environment of each process that is to go by it. */
  readonly env: Readonly<Record<string, string>>;
  /** How far it is ahead of the system's clock, in milliseconds. */
  offsetMs(): number;
  /** Moves it, forwards or, below 0, backwards. Processes follow within a second. */
  step(byMs: number): Promise<void>;
  /** Once all its processes have ended. */
  close(): Promise<void>;
}

/** The one for programs with several threads, where Debian and other systems keep it. */
const LIBRARY_PATTERNS = [
  "/usr/lib/*/faketime/libfaketimeMT.so.1",
  "/usr/lib{,64}/faketime/libfaketimeMT.so.1",
];
const CACHE_SECONDS = "1";
/**
 * Redis' own allocator asks for the time before libfaketime is ready to tell it, which asks for
 * memory: both wait for ever. With the C library in front of it, Redis takes its memory from there.
 */
const PLAIN_ALLOCATOR = "libc.so.6";

/** @returns the library's path; undefined where it is not installed */
export function findFaketime(): string | undefined {
  return globSync(LIBRARY_PATTERNS).at(0);
}

/** @throws Error if libfaketime is not installed: a run without it has not tried this fault */
export async function createSteppableClock(): Promise<SteppableClock> {
  const library = findFaketime();
  if (library === undefined) {
    throw new Error("clocks cannot be stepped: install the package libfaketime");
  }
  const dir = await mkdtemp(path.join(tmpdir(), "schoolbell-clock-"));
  const file = path.join(dir, "offset");
  let offsetMs = 0;

  async function write(): Promise<void> {
    const sign = offsetMs < 0 ? "-" : "+";
    // Put in place in one step: a process may be reading it.
    await writeFile(`${file}.new`, `${sign}${Math.abs(offsetMs) / 1_000}\n`);
    await rename(`${file}.new`, file);
  }
  await write();

  return {
    env: {
      LD_PRELOAD: `${library}:${PLAIN_ALLOCATOR}`,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: CACHE_SECONDS,
      // Its name has changed between versions.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
    offsetMs: () => offsetMs,
    async step(byMs) {
      offsetMs += byMs;
      await write();
    },
    close: async () => await rm(dir, { recursive: true, force: true }),
  };
}
