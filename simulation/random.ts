/** Randomness that one number decides: the same seed, the same run, on every machine. */

export interface Random {
  /** At least 0, less than 1. */
  fraction(): number;
  /** A whole number from 0, less than `below`. */
  whole(below: number): number;
  /** One of the items, all equally likely. @throws RangeError when there is none */
  pick<T>(items: readonly T[]): T;
  /** The items in a random order; the list itself stays as it is. */
  shuffled<T>(items: readonly T[]): T[];
}

/** Marsaglia's xorshift over 32 bits; the seed is spread first, because nearby states give nearby numbers. */
export function randomOf(seed: number): Random {
  let state = Math.imul((seed | 0) ^ 0x9e3779b9, 0x85ebca6b) || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let warmUp = 0; warmUp < 8; warmUp += 1) next();
  const fraction = (): number => next() / 2 ** 32;
  const whole = (below: number): number => Math.floor(fraction() * below);
  return {
    fraction,
    whole,
    pick(items) {
      const at = whole(items.length);
      if (!(at in items)) throw new RangeError('nothing to pick from');
      return items[at] as (typeof items)[number];
    },
    shuffled(items) {
      const left = [...items];
      for (let at = left.length - 1; at > 0; at -= 1) {
        const other = whole(at + 1);
        const moved = left[at] as (typeof left)[number];
        left[at] = left[other] as (typeof left)[number];
        left[other] = moved;
      }
      return left;
    },
  };
}
