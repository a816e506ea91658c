/** Numbers on the command lines of these scripts. */
import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError */
export function aboveZero(text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It is a number above 0.');
}

/** @throws InvalidArgumentError */
export function seedOf(text: string): number {
  const seed = Number(text);
  if (text !== '' && Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new InvalidArgumentError('It is a whole number.');
}
