/**
 * Lets so many through at a time; the others wait in order. Without it, two thousand sockets that come
 * back together ask for two thousand histories at once: most of the answers then arrive after the
 * time limit of a Redis command, and what others send by the same connection stands behind all of them.
 */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/** Those that have gone through are let go of at so many, if nobody found the line empty before. */
const LET_GO_AT = 1_000;

export function createTurnstile(places: number): Turnstile {
  const waiting: (() => void)[] = [];
  let taken = 0;
  /** The waiting ones before it have gone through; taking from the front one by one copies the rest. */
  let next = 0;

  function leave(): void {
    const admit = waiting[next];
    if (admit === undefined) {
      waiting.length = 0;
      next = 0;
      taken -= 1;
      return;
    }
    next += 1;
    if (next >= LET_GO_AT && next * 2 >= waiting.length) {
      waiting.splice(0, next);
      next = 0;
    }
    admit();
  }

  return async (work) => {
    if (taken < places) taken += 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
