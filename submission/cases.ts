/** What a result case is, wherever it comes from: a signal on the console, or a line that a pattern matches. */
import { CaseResult } from '../machines/events.ts';

export type { CaseResult };

/** A case, a set or a reference is a name, not a story. */
export const CASE_CHARS_MAX = 1_024;

export interface FoundCase {
  case: string;
  result: CaseResult;
  measurement?: string;
  units?: string;
  note?: string;
}

export const isCaseResult = (word: string): word is CaseResult =>
  CaseResult.safeParse(word).success;

/** Upstream's words for results where a definition gives no `fixupdict` of its own. */
export const FIXUPS_DEFAULT: readonly [string, CaseResult][] = [
  ['PASS', 'pass'],
  ['FAIL', 'fail'],
  ['SKIP', 'skip'],
  ['UNKNOWN', 'unknown'],
];

/** The result that a word stands for, through the definition's own list; `undefined`: for none. */
export function resultOf(
  word: string,
  fixups: readonly (readonly [string, CaseResult])[],
): CaseResult | undefined {
  const list = fixups.length === 0 ? FIXUPS_DEFAULT : fixups;
  const found = list.find(([from]) => from === word)?.[1];
  return found ?? (isCaseResult(word) ? word : undefined);
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A measurement is a decimal number, its text kept; anything else is said in the case's note (SEMANTICS 2.4). */
export function measured(
  measurement: string | undefined,
  units: string | undefined,
): Pick<FoundCase, 'measurement' | 'units' | 'note'> {
  const number = measurement?.trim() ?? '';
  const unit = units?.trim() ?? '';
  if (number === '') return {};
  if (!DECIMAL.test(number)) {
    const text = `${number}${unit === '' ? '' : ` ${unit}`}`.slice(0, CASE_CHARS_MAX);
    return { note: `the measurement ${JSON.stringify(text)} is no number` };
  }
  return {
    measurement: number.slice(0, CASE_CHARS_MAX),
    ...(unit === '' ? {} : { units: unit.slice(0, CASE_CHARS_MAX) }),
  };
}
