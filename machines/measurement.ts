/** What a case measured: a decimal number, its text kept, or nothing but a line in its note (SEMANTICS 2.4). Pure. */

export interface Measurement {
  /** The decimal number as it was written. */
  text: string;
  /** The double that is nearest to it. */
  value: number;
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Of a text that is no number, in a note. */
const SHOWN_CHARACTERS_MAX = 1_000;

/** A decimal number, blanks around it left out; `undefined`: it is none, or none that a double can hold. */
export function decimalOf(given: string): Measurement | undefined {
  const text = given.trim();
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? { text, value } : undefined;
}

interface Given {
  measurement?: string | undefined;
  units?: string | undefined;
  note?: string | undefined;
}

/** What was measured, with its units; what is no number is said in the note, and its units with it. */
export function measured({ measurement: given, units, note }: Given): {
  measurement?: Measurement;
  units?: string;
  note?: string;
} {
  const measurement = given === undefined ? undefined : decimalOf(given);
  const isNone = given !== undefined && measurement === undefined;
  const said = isNone ? noNumber(units ? `${given} ${units}` : given) : undefined;
  const noted = [note, said].filter((part) => part !== undefined).join('; ');
  return {
    ...(measurement !== undefined && { measurement }),
    ...(units !== undefined && !isNone && { units }),
    ...((note !== undefined || said !== undefined) && { note: noted }),
  };
}

function noNumber(text: string): string {
  // A character of two halves is not cut in two.
  const cut = `${text.slice(0, SHOWN_CHARACTERS_MAX).replace(/[\ud800-\udbff]$/, '')}...`;
  const shown = text.length > SHOWN_CHARACTERS_MAX ? cut : text;
  return `the measurement ${JSON.stringify(shown)} is no number`;
}
