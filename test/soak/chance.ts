/** Chance that can be repeated: the same seed makes the same choices in the same order. */

export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  between(least: number, most: number): number;
  /** One of these. @throws if there are none */
  pick<T>(items: readonly T[]): T;
  /** True in `share` of the cases. */
  happens(share: number): boolean;
}

/** Mulberry32: small, and even enough for loads. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (least, most) => least + next() * (most - least),
    pick(items) {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new Error("there is nothing to pick from");
      return item;
    },
    happens: (share) => next() < share,
  };
}
