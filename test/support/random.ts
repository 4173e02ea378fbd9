/** Numbers that look random and are the same for the same seed, so that a run or a load can be repeated. */

export interface Random {
  /** 0 to 1, without 1. */
  next(): number;
  /** Both inclusive. */
  whole(from: number, to: number): number;
  /** Without the upper end. */
  between(from: number, to: number): number;
  /** @throws if there is nothing to pick from */
  pick<T>(items: readonly T[]): T;
  /** True so often: 0 never, 1 always. */
  chance(share: number): boolean;
  shuffle<T>(items: readonly T[]): T[];
  /** Another source, which does not change what this one says next. */
  fork(name: string): Random;
}

/** A step of the mulberry32 generator: 32 bits of state, which passes the usual tests of chance. */
const STEP = 0x6d_2b_79_f5;
const TWO_TO_32 = 4_294_967_296;

export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + STEP) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  }

  const random: Random = {
    next,
    whole: (from, to) => from + Math.floor(next() * (to - from + 1)),
    between: (from, to) => from + next() * (to - from),
    pick(items) {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new Error("there is nothing to pick from");
      return item;
    },
    chance: (share) => next() < share,
    shuffle(items) {
      const left = [...items];
      return items.flatMap(() => left.splice(Math.floor(next() * left.length), 1));
    },
    fork(name) {
      let mixed = seed >>> 0;
      for (const character of name)
        mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01_00_01_93);
      return createRandom(mixed);
    },
  };
  return random;
}
