/** Characters that a format cannot carry, or that would move somebody's cursor, are shown as escapes and not dropped. */

const UNSEEN = /[\p{Cc}\p{Cs}\u2028\u2029\ufffe\uffff]/gu;

/** The text with every such character as `\u{1b}`; `kept`: those that the format can carry. */
export function visible(text: string, kept?: RegExp): string {
  return text.replace(UNSEEN, (c) =>
    kept?.test(c) ? c : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
