/**
 * Single requests, taken together: what comes while others are under way goes with the next, so that
 * many share one trip to Redis. No timer: a request that comes alone waits for nobody.
 */
import { isolatePoison, type Poison } from "./accept-faults.ts";

/** Bounds how long one group holds up the process, and how many wait for one reply of Redis. */
const MAX_GROUP = 200;
/** While the replies of one group are on their way, another is prepared. */
const MAX_UNDER_WAY = 2;

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
 * @returns a function that joins the next group and resolves with the result of this one item.
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
      for (const { reject } of group) reject(error);
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
      waiting.push({ item, resolve, reject });
      if (starting || underWay >= MAX_UNDER_WAY) return;
      starting = true;
      // After everything that this turn of the event loop has read: it goes in the same group.
      setImmediate(start);
    });
}
