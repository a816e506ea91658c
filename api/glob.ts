/** Patterns of names: `*` is any run of characters, `?` is one, all else is itself. */

/** Whether the whole of `text` is as `pattern` says; in at most `pattern.length * text.length` steps, whatever they are. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  /** Where the last `*` stands, and from where on it was tried: all before them is settled. */
  let star = -1;
  let from = 0;
  while (t < text.length) {
    const is = pattern[p];
    if (is === '*') {
      star = p;
      from = t;
      p += 1;
    } else if (is !== undefined && (is === '?' || is === text[t])) {
      p += 1;
      t += 1;
    } else if (star !== -1) {
      from += 1;
      t = from;
      p = star + 1;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
