/**
 * The names of a group's boards while nobody knows which boards it gets: each member has a sign of its own, which no text of a
 * script can hold. Two of them are the same name only where they are the same sign; what a name looks like is not known.
 */
import { exact, joined, type Pattern } from './patterns.ts';

const OPEN = '\uE0F0';
const CLOSE = '\uE0F1';
const SIGN = /\uE0F0(\d+)\uE0F1/g;

export const signOf = (member: number): string => `${OPEN}${member}${CLOSE}`;
export const holdsSign = (text: string): boolean => text.includes(OPEN) || text.includes('\uE0F4');

/** A text in which boards are named, as a pattern for somebody who reads it. */
export function shown(pattern: Pattern, self: number): Pattern {
  if (pattern.kind === 'unknown') return pattern;
  if (pattern.kind === 'exact' && !pattern.text.includes(OPEN)) return pattern;
  const parts = pattern.kind === 'exact' ? [pattern.text] : pattern.parts;
  return joined(
    parts.flatMap((part): Pattern[] =>
      typeof part === 'string' ? signsShown(part, self) : [{ kind: 'unknown', ...part }],
    ),
  );
}

function signsShown(text: string, self: number): Pattern[] {
  const out: Pattern[] = [];
  let at = 0;
  for (const found of text.matchAll(SIGN)) {
    const member = Number(found[1]);
    out.push(exact(text.slice(at, found.index)), nameHole(member, self));
    at = found.index + found[0].length;
  }
  return [...out, exact(text.slice(at))];
}

const nameHole = (member: number, self: number): Pattern => ({
  kind: 'unknown',
  hole: member === self ? '$(lava-self)' : '$(lava-group)',
  id: `name ${member}`,
});

/** `undefined`: it depends on what the boards are called. */
export function sameText(a: string, b: string): boolean | undefined {
  if (a === b) return true;
  if (!holdsSign(a) && !holdsSign(b)) return false;
  // Two names of boards are never the same; a name beside a text may be anything.
  const bare = (text: string) => /^\uE0F0\d+\uE0F1$/.test(text);
  if (bare(a) && bare(b)) return false;
  if (a === '' || b === '') return false;
  return undefined;
}
