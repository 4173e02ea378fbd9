/** Processor time from `/proc`: of one process, and of the machine as a whole. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Ticks of `/proc` are hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10;
/** Places in `/proc/<pid>/stat`, counted after the name, which may itself hold blanks. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
/** Places in the first line of `/proc/stat` that are idle time: idle and iowait. */
const IDLE_PLACES: readonly number[] = [3, 4];
/** Guest time, from here on, is already in the user time. */
const GUEST_PLACE = 8;

/** Processor time used so far, in ms; NaN where there is no `/proc`. */
export function processCpuMs(pid: number): number {
  const text = readProc(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MS;
}

/** Processor time that everything on this machine used so far, in ms over all cores. */
export function machineCpuMs(): number {
  const [, ...fields] = (readProc("/proc/stat").split("\n")[0] ?? "").split(/\s+/);
  if (fields.length === 0) return Number.NaN;
  const busy = fields.slice(0, GUEST_PLACE).filter((_field, place) => !IDLE_PLACES.includes(place));
  return busy.reduce((sum, field) => sum + Number(field), 0) * TICK_MS;
}

export const cores = availableParallelism();

function readProc(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
