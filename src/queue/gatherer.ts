/** Many callers, few Redis calls: what arrives while one call is under way goes with the next. */

interface Gathered<T> {
  readonly items: T[];
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Returns a function that hands items to `flush`, in order, and settles as their flush does. There is
 * one flush at a time; no timer, so nobody waits for a caller that may never come.
 */
export function createGatherer<T>(
  flush: (items: readonly T[]) => Promise<void>,
): (items: readonly T[]) => Promise<void> {
  let open: Gathered<T> | undefined;
  let flushing = false;

  async function flushAll(): Promise<void> {
    if (flushing) return;
    flushing = true;
    for (let batch = open; batch !== undefined; batch = open) {
      open = undefined;
      try {
        await flush(batch.items);
        batch.done.resolve();
      } catch (error) {
        batch.done.reject(error);
      }
    }
    flushing = false;
  }

  return (items) => {
    open ??= { items: [], done: Promise.withResolvers<void>() };
    const batch = open;
    for (const item of items) batch.items.push(item);
    void flushAll();
    return batch.done.promise;
  };
}
