/** Counts what is held to a promise, and gathers what breaks it. */
import type { Finding, PromiseName } from "../evidence.ts";

export interface Tally {
  /** Holds one thing to the promise; the sentence says what is wrong if it does not hold. */
  expect(holds: boolean, sentence: () => string): void;
  /** Leaves one out: Redis was taken back behind it. */
  exclude(): void;
  finding(): Finding;
}

export function startTally(promise: PromiseName): Tally {
  const violations: string[] = [];
  let checked = 0;
  let excluded = 0;
  return {
    expect(holds, sentence) {
      checked += 1;
      if (!holds) violations.push(sentence());
    },
    exclude() {
      excluded += 1;
    },
    finding: () => ({ promise, checked, violations, excluded }),
  };
}
