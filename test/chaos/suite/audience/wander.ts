/** People who come and go: their browsers are closed and opened again, whatever else happens. */
import { createRandom } from "../../../support/random.ts";
import type { Person } from "../people.ts";

const STEP_MS = 1_000;
/** Of the wanderers, at each step. */
const LEAVING_SHARE = 0.15;
const MIN_AWAY_MS = 100;
const MAX_AWAY_MS = 3_000;

/** Begins at once; those who are away when it is stopped still come back. */
export function wander<Page extends { readonly userId: string }>(
  { seed, people }: { readonly seed: number; readonly people: readonly Person[] },
  audience: {
    pages(): readonly Page[];
    reopen(pages: readonly [Page], afterMs: number): void;
  },
): { stop(): void } {
  const random = createRandom(seed).fork("wanderers");
  const wanderers = new Set(
    people.filter(({ kind }) => kind === "wanderer").map(({ userId }) => userId),
  );
  const timer = setInterval(() => {
    for (const page of audience.pages()) {
      if (!wanderers.has(page.userId) || !random.chance(LEAVING_SHARE)) continue;
      audience.reopen([page], random.whole(MIN_AWAY_MS, MAX_AWAY_MS));
    }
  }, STEP_MS);
  return { stop: () => clearInterval(timer) };
}
