/** Keeps work that goes on side by side in the order in which it began, for the part that needs it. */

export interface Turn {
  /** Resolves when all turns before have ended. */
  readonly comes: Promise<void>;
  /** To be called however the work went, or everybody behind waits for ever. */
  end(): void;
}

export function createTurns(): { next(): Turn } {
  let last: Promise<void> = Promise.resolve();
  return {
    next() {
      const comes = last;
      const ended = Promise.withResolvers<void>();
      last = comes.then(() => ended.promise);
      return { comes, end: ended.resolve };
    },
  };
}
