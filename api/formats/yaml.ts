/**
 * A JSON document as YAML that readers of 1.1 and of 1.2 understand alike: every text is in quotes, so that `no` and
 * `12:30` stay texts. A writer of our own: the library takes two seconds for ten thousand cases, and boards would wait.
 */

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** @param document what `JSON.stringify` can write; keys are plain words */
export function yaml(document: unknown): string {
  const out: string[] = [];
  write(JSON.parse(JSON.stringify(document)), '', '', out);
  return out.join('');
}

/** Writes the lines of a value, the first of them after `head`, the others indented. */
function write(value: Json, head: string, indent: string, out: string[]): void {
  if (typeof value !== 'object' || value === null) out.push(`${head} ${scalar(value)}\n`);
  else if (Array.isArray(value)) {
    if (value.length === 0) out.push(`${head} []\n`);
    else if (head !== '') out.push(`${head}\n`);
    for (const item of value) write(item, `${indent}-`, `${indent}  `, out);
  } else writeMapping(value, head, indent, out);
}

function writeMapping(
  mapping: { [key: string]: Json },
  head: string,
  indent: string,
  out: string[],
): void {
  const entries = Object.entries(mapping);
  // The first key of an item stands beside its dash.
  const isItem = head.endsWith('-');
  if (entries.length === 0) out.push(`${head} {}\n`);
  else if (head !== '' && !isItem) out.push(`${head}\n`);
  for (const [at, [key, value]] of entries.entries()) {
    const before = isItem && at === 0 ? `${head} ` : indent;
    write(value, `${before}${key}:`, `${indent}  `, out);
  }
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value === 'string') return yamlText(value);
  // YAML 1.1 takes a number with an exponent for one only where it has a point.
  return String(value).replace(/^(-?\d+)e/, '$1.0e');
}

/** A text in quotes, as JSON has them; characters that YAML does not take are escaped too. */
export function yamlText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
