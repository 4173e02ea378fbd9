/** When a run is over: nothing is left to be read, delivered or told. */
import { setTimeout as delay } from "node:timers/promises";

/** Something that goes down to nothing, told in words: `3 notifications to settle`. */
export type Remainder = () => Promise<readonly string[]>;

const POLL_MS = 200;

/**
 * Resolves when nothing is left twice in a row, or nothing has changed for as long as is allowed.
 * @returns a sentence for what is left and does not move; empty where all is done
 */
export async function untilQuiet(left: Remainder, stallMs: number): Promise<readonly string[]> {
  let before = "unknown";
  let changedAt = performance.now();
  for (;;) {
    const remainder = await left().catch((error: unknown) => [`unknown: ${String(error)}`]);
    const now = remainder.join(", ");
    if (now === "" && before === "") return [];
    if (now !== before) changedAt = performance.now();
    before = now;
    if (performance.now() - changedAt > stallMs) {
      return [`nothing has moved for ${stallMs / 1_000} s: ${now}`];
    }
    await delay(POLL_MS);
  }
}
