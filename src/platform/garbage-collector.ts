/** How this process collects its garbage. */
import { setFlagsFromString } from "node:v8";

/**
 * Young objects are collected by the thread that made them alone. V8 otherwise wakes helpers for each
 * of some forty collections a second, and what there is to copy (a few hundred KB) is not worth
 * sharing out: under a load in bulk, on two cores, they took 10 us for each notification, and the
 * thread that waited for them was no sooner done. Collecting what is old stays on other threads.
 */
export function collectYoungObjectsAlone(): void {
  setFlagsFromString("--no-parallel-scavenge");
}
