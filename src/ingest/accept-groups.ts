/**
 * Single requests, taken together: what comes while others are under way goes with the next, so that
 * many share one trip to Redis. No timer: a request that comes alone waits for nobody.
 */
import { Problem } from "../platform/problems.ts";
import { isolatePoison, type Poison } from "./accept-faults.ts";

/** Bounds how long one group holds up the process, and how many wait for one reply of Redis. */
const MAX_GROUP = 200;
/** While the replies of one group are on their way, another is prepared. */
const MAX_UNDER_WAY = 2;
/**
 * A second's worth at full speed. Where more wait, Redis is slower than callers are: a quick "later"
 * is worth more to them than a place at the end, and each holds its body in memory.
 */
export const MAX_WAITING = 5_000;
const RETRY_SECONDS = 1;

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

function isPoison(result: unknown): result is Poison {
  return (
    typeof result === "object" && result !== null && "kind" in result && result.kind === "poison"
  );
}

/**
 * @param take as for `isolatePoison`: one item's failure is its own.
 * @returns a function that joins the next group and resolves with the result of this one item; it
 * rejects with Problem `unavailable` if too many wait.
 */
export function createGroups<T, R>(
  take: (items: readonly T[]) => Promise<readonly R[]>,
): (item: T) => Promise<R> {
  const waiting: Waiting<T, R>[] = [];
  let underWay = 0;
  let starting = false;

  async function run(group: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await isolatePoison(
        group.map(({ item }) => item),
        take,
      );
      group.forEach(({ resolve, reject }, at) => {
        const result = results[at];
        if (result === undefined) reject(new Error("accept returned no result"));
        else if (isPoison(result)) reject(result.error);
        else resolve(result);
      });
    } catch (error) {
      // Whoever waits behind fails with them: a second time-out would double the delay.
      for (const { reject } of [...group, ...waiting.splice(0)]) reject(error);
    }
    underWay -= 1;
    start();
  }

  function start(): void {
    starting = false;
    while (underWay < MAX_UNDER_WAY && waiting.length > 0) {
      underWay += 1;
      void run(waiting.splice(0, MAX_GROUP));
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= MAX_WAITING) return reject(tooMany());
      waiting.push({ item, resolve, reject });
      if (starting || underWay >= MAX_UNDER_WAY) return;
      starting = true;
      // After everything that this turn of the event loop has read: it goes in the same group.
      setImmediate(start);
    });
}

function tooMany(): Problem {
  return new Problem("unavailable", "More is asked for than can be taken in now.", {
    retryAfterSeconds: RETRY_SECONDS,
  });
}
